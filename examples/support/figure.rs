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

/// Paths with a stroke of at least this width are scaled down by it: plotters knows whole pixels only.
pub const FINE: u32 = 100;

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
    // Drop attributes that repeat the defaults, fit the figure to the width of a page, and describe it.
    let svg = svg.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "").replace(" stroke-width=\"1\"", "");
    let (head, body) = svg.split_once('\n').expect("the first line is the opening tag");
    let head = head.replacen("<svg ", "<svg role=\"img\" style=\"max-width:100%;height:auto\" ", 1);
    let (title, command) = (escaped(title), env!("CARGO_BIN_NAME"));
    let body: String = joined(body).lines().map(scaled).collect();
    let svg = format!("{head}\n<title>{title}</title>\n<desc>{command}</desc>\n{body}");
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

/// Scales an element if it is drawn in units of 1 / [`FINE`] pixels.
fn scaled(element: &str) -> String {
    let width = element.split_once("stroke-width=\"").and_then(|(_, rest)| rest.split('"').next()?.parse().ok());
    match width {
        Some(FINE..) => element.replacen(' ', &format!(" transform=\"scale({})\" ", 1.0 / f64::from(FINE)), 1) + "\n",
        _ => format!("{element}\n"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Writes the page that shows all figures.
fn index() -> Outcome {
    let mut names: Vec<String> = fs::read_dir(directory())?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".svg"))
        .collect();
    names.sort();
    let style = "body{font-family:sans-serif;margin:2em auto;max-width:76em;padding:0 1em}\
        main{columns:2 30em;column-gap:3em}figure{margin:0 0 2em;break-inside:avoid}img{max-width:100%;height:auto}\
        figcaption{color:#5a6068}";
    let body = names.iter().map(|name| entry(name)).collect::<Result<String, _>>()?;
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
        <title>wengert: figures</title>\n<style>{style}</style>\n<h1>Figures of the examples</h1>\n<main>\n{body}</main></html>\n"
    );
    Ok(fs::write(directory().join("index.html"), page)?)
}

/// A figure on that page, with its title and a link to the example that draws it.
fn entry(name: &str) -> Result<String, Box<dyn Error>> {
    let svg = fs::read_to_string(directory().join(name))?;
    let inside = |tag: &str| {
        let (_, rest) = svg.split_once(&format!("<{tag}>"))?;
        rest.split_once(&format!("</{tag}>")).map(|(text, _)| text)
    };
    let (title, example) = (inside("title").unwrap_or(name), inside("desc").unwrap_or_default());
    Ok(format!(
        "<figure><a href=\"{name}\"><img src=\"{name}\" alt=\"{title}\"></a>\n\
        <figcaption>{title}. <a href=\"../../examples/{example}.rs\">{example}</a></figcaption></figure>\n"
    ))
}
