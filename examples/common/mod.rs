//! What the numbered examples share: where figures go, and how they look.

use plotters::coord::Shift;
use plotters::prelude::*;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// What an example's `main` returns.
pub type Outcome = Result<(), Box<dyn Error>>;

/// The area of a figure to draw on.
pub type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Colours that stay apart for the colour-blind: Okabe and Ito 2008.
pub const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(150, 130, 0),
];

/// The font of all text.
pub const FONT: &str = "sans-serif";

/// Whether the example shall be quick rather than thorough: `--quick`.
pub fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// The folder of the figures, `target/figures` in the checkout, whatever folder the example was started from.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/figures")
}

/// Draws a figure of `size` pixels as SVG under `target/figures`, and lists it in the `index.html` beside it.
pub fn figure(name: &str, title: &str, size: (u32, u32), draw: impl FnOnce(&Canvas) -> Outcome) -> Outcome {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        let below = area.titled(title, (FONT, 20))?;
        draw(&below)?;
        area.present()?;
    }
    // Without what goes without saying, and on a page no wider than the page.
    let svg = svg
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" stroke-width=\"1\"", "")
        .replacen("<svg ", "<svg style=\"max-width:100%;height:auto\" ", 1);
    fs::create_dir_all(folder())?;
    let path = folder().join(format!("{name}.svg"));
    fs::write(&path, svg)?;
    println!("figure: target/figures/{name}.svg");
    index()
}

/// Writes the page that shows every figure there is.
fn index() -> Outcome {
    let mut names: Vec<String> = fs::read_dir(folder())?
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
    Ok(fs::write(folder().join("index.html"), page)?)
}
