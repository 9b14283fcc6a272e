//! Figures of the numbered examples: SVG files under `target/figures`, and a page that shows them all.

use crate::support::style::FONT;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Result of an example's `main`.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Drawing area of a figure.
pub type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Whether the program was started with `--quick`, for a shorter run.
pub fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// The directory of the figures: `target/figures` in the checkout, independent of the current directory.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target").join("figures")
}

/// Draws a figure of `size` pixels to `target/figures` and adds it to `index.html` there.
pub fn figure(name: &str, title: &str, size: (u32, u32), draw: impl FnOnce(&Canvas) -> Outcome) -> Outcome {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        let below = area.titled(title, (FONT, 20))?;
        draw(&below)?;
        area.present()?;
    }
    // Drop attributes that repeat the defaults, and fit the figure to the width of a page.
    let svg = svg.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "").replace(" stroke-width=\"1\"", "");
    let svg = joined(&svg).replacen("<svg ", "<svg style=\"max-width:100%;height:auto\" ", 1);
    fs::create_dir_all(directory())?;
    let path = directory().join(format!("{name}.svg"));
    fs::write(&path, svg)?;
    println!("figure: target/figures/{name}.svg");
    index()
}

/// Joins successive rectangles of one color, of which images consist, into one path, which is several times shorter.
fn joined(svg: &str) -> String {
    let (mut joined, mut open) = (String::new(), "");
    for line in svg.lines() {
        let parts: Vec<&str> = line.split('"').collect();
        let rectangle = match parts[..] {
            ["<rect x=", x, " y=", y, " width=", width, " height=", height, " fill=", color, "/>"] => {
                Some((color, format!("M{x} {y}h{width}v{height}H{x}z")))
            }
            _ => None,
        };
        let color = rectangle.as_ref().map_or("", |rectangle| rectangle.0);
        if color != open {
            joined.push_str(if open.is_empty() { "" } else { "\"/>\n" });
            open = color;
            if !open.is_empty() {
                joined.push_str(&format!("<path fill=\"{open}\" d=\""));
            }
        }
        match rectangle {
            Some((_, path)) => joined.push_str(&path),
            None => joined.push_str(&format!("{line}\n")),
        }
    }
    joined
}

/// Writes the page that shows all figures.
fn index() -> Outcome {
    let mut names: Vec<String> = fs::read_dir(directory())?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".svg"))
        .collect();
    names.sort();
    let figure = |name: &String| {
        format!(
            "<figure><a href=\"{name}\"><img src=\"{name}\" alt=\"{name}\"></a><figcaption>{name}</figcaption></figure>\n"
        )
    };
    let style = "body{font-family:sans-serif;margin:2em;columns:2 34em;column-gap:3em}h1{column-span:all}\
        figure{margin:0 0 2em;break-inside:avoid}img{max-width:100%}figcaption{color:#5a6068}";
    let body: String = names.iter().map(figure).collect();
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>wengert: figures</title>\n<style>{style}</style>\n<h1>Figures of the examples</h1>\n{body}</html>\n"
    );
    Ok(fs::write(directory().join("index.html"), page)?)
}
