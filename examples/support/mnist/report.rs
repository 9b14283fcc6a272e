//! The report: a self-contained HTML page about a training run.

use crate::support::checkout;
use crate::support::mnist::Network;
use crate::support::mnist::charts::{BLUE, VERMILION, curves};
use crate::support::mnist::options::Options;
use crate::support::mnist::training::{PIXELS, Run};
use crate::support::number::number;
use plotters::style::RGBColor;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use wengert::data::Images;
use wengert::metrics::{ConfusionMatrix, Mean};
use wengert::prelude::*;
use wengert::training::History;

/// Number of misclassified images shown.
const SHOWN: usize = 24;

/// Style sheet of the page.
const STYLE: &str = "
main { margin: 0 auto; max-width: 1120px; padding: 32px 16px 64px; }
body { margin: 0; color: #1c1e21; background: #fff;
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; }
h1 { margin: 0 0 4px; font-size: 28px; font-weight: 650; letter-spacing: -0.01em; }
h2 { margin: 48px 0 4px; font-size: 19px; font-weight: 650; }
p { margin: 0 0 14px; max-width: 46em; color: #5a6068; }
.facts { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 22px; }
.facts div { flex: 1 1 130px; padding: 12px 16px; border: 1px solid #e2e5e9; border-radius: 8px; }
.facts b { display: block; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.facts span { color: #5a6068; font-size: 13px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 16px; }
.charts svg { width: 100%; height: auto; }
svg text { font-family: inherit; }
.history td, .history th { padding: 2px 0 2px 1.5em; text-align: right; font-weight: 500; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.confusion td, .confusion th { width: 54px; height: 32px; padding: 0 10px; box-sizing: border-box; text-align: right; }
.confusion td { border: 2px solid #fff; background: #f6f7f8; }
.confusion th, .confusion .share { font-weight: 500; color: #5a6068; background: none; }
.confusion .share { padding-left: 18px; }
.scroll { overflow-x: auto; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 18px 14px; }
figure { margin: 0; font-size: 13px; line-height: 1.4; }
figure svg { display: block; width: 100%; margin-bottom: 5px; border: 1px solid #e2e5e9; border-radius: 6px; }
figcaption span { display: block; color: #5a6068; font-variant-numeric: tabular-nums; }
pre { margin: 0; padding: 14px 18px; overflow-x: auto; background: #f6f7f8; border-radius: 8px;
  font: 13px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
summary { margin: 12px 0; color: #5a6068; cursor: pointer; }
.settings { columns: 2 20em; column-gap: 48px; }
.settings div { display: flex; justify-content: space-between; gap: 24px; padding: 5px 0;
  border-bottom: 1px solid #e9ebee; break-inside: avoid; }
.settings span { color: #5a6068; }
.settings b { font-weight: 500; overflow-wrap: anywhere; text-align: right; }
@media (max-width: 720px) {
  .confusion { font-size: 11px; }
  .confusion td, .confusion th { width: auto; height: 24px; padding: 0 2px; }
  .confusion .share { padding-left: 4px; }
}
";

/// The seconds after which a browser loads the page of a run that goes on once more.
const REFRESH: &str = "5";

/// A misclassified image.
struct Mistake {
    image: usize,
    label: usize,
    answer: usize,
    /// Probability that the model assigned to its answer.
    probability: f32,
}

/// How a model does on a set of images.
pub struct Examination {
    pub loss: f64,
    pub matrix: ConfusionMatrix,
    /// The most confident first.
    mistakes: Vec<Mistake>,
}

impl Examination {
    /// Classifies all images. The batch size limits memory use and does not affect the result.
    pub fn of(model: &impl Network, images: &Images) -> Self {
        let (mut loss, mut matrix, mut mistakes) = (Mean::new(), ConfusionMatrix::new(10), Vec::new());
        for batch in images.batches(1000) {
            let first = matrix.total() as usize;
            let scores = model.forward(&Tape::inference().constant(batch.images));
            loss.add_weighted(scores.softmax_cross_entropy(&batch.labels).item(), batch.labels.len() as f64);
            matrix.add(scores.value(), &batch.labels);
            let probabilities = scores.softmax(1);
            for (row, (answer, &label)) in scores.value().argmax(1).into_iter().zip(&batch.labels).enumerate() {
                if answer != label {
                    let probability = probabilities.value()[[row, answer]];
                    mistakes.push(Mistake { image: first + row, label, answer, probability });
                }
            }
        }
        mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        Examination { loss: loss.value(), matrix, mistakes }
    }
}

/// What the report is about, beside the run.
pub struct Report<'a> {
    pub options: &'a Options,
    pub train: &'a Images,
    pub test: &'a Images,
}

impl Report<'_> {
    /// Writes the page, and beside it a drawing of the tape as SVG. While the run goes on, a browser loads the page again and again.
    pub fn write<N: Network>(&self, run: &Run<N>, tested: &Examination, goes_on: bool) -> Result<(), Box<dyn Error>> {
        let Report { options, train, test } = *self;
        let loss = self.loss(run);
        let tape = loss.tape();
        let graph = format!(
            "{}<details><summary>As text</summary>\n{}</details>",
            scrolling(&tape.to_svg()),
            preformatted(&tape.to_string())
        );
        let history = run.fit.history();
        let curves = curves(options, history, train.len())?;
        let refresh = format!("<meta http-equiv=\"refresh\" content=\"{REFRESH}\">\n");
        let page = [
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n".to_string(),
            if goes_on { refresh } else { String::new() },
            format!("<title>MNIST</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Handwritten digits</h1>\n"),
            format!(
                "<p>A {}, trained on {} images of MNIST and tested on {} others.</p>\n",
                N::KIND,
                grouped(train.len()),
                grouped(test.len())
            ),
            facts(options, run, &tested.matrix),
            section("Learning curves", CURVES, &(curves + &numbers(history))),
            section("Confusion matrix", MATRIX, &scrolling(&confusion(&tested.matrix))),
            section("Worst mistakes", WORST, &gallery(test, &tested.mistakes)),
            section("The network", NETWORK, &preformatted(&run.model.summary().to_string())),
            section("The graph of a step", GRAPH, &graph),
            section("Settings", SETTINGS, &(preformatted(&command_line(N::EXAMPLE)) + &settings(options))),
            "</main>\n</body>\n</html>\n".into(),
        ]
        .concat();
        replace(&options.report.with_extension("svg"), &tape.to_svg())?;
        replace(&options.report, &page)
    }

    /// The loss of the first images, as in a training step.
    pub fn loss<N: Network>(&self, run: &Run<N>) -> Var {
        let tape = Tape::training(&mut run.rng.clone());
        tape.name_parameters(&run.model);
        let batch = self.train.batches(self.options.batch).next().expect("there are images");
        run.model.forward(&tape.constant(batch.images)).softmax_cross_entropy(&batch.labels)
    }
}

/// Writes to a temporary file and renames it, so that nobody reads an incomplete one.
fn replace(path: &Path, content: &str) -> Result<(), Box<dyn Error>> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".tmp");
    let written = || {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&aside, content)?;
        fs::rename(&aside, path)
    };
    Ok(written().map_err(|error| format!("{path:?}: {error}"))?)
}

const CURVES: &str = "Training metrics are means over the batches of an epoch; test metrics are measured after it. The loss axis is logarithmic.";
const MATRIX: &str = "Number of images by true digit (row) and predicted digit (column). Recall is the fraction of a digit's images that are recognized, precision the fraction of a digit's predictions that are right.";
const WORST: &str = "The most confident wrong predictions: true digit, predicted digit, and the predicted probability.";
const NETWORK: &str = "Layers with the shapes of their parameters.";
const GRAPH: &str = "The tape of one training step, which the backward pass replays in reverse: operations with their settings and output shapes, the parameters and constants that they read, what each saves for its backward rule, and the source line. In the text form a constant is written _.";
const SETTINGS: &str = "The command, and all options. The same options train the same network, bit for bit.";

/// A section of the page.
fn section(title: &str, text: &str, content: &str) -> String {
    format!("<h2>{title}</h2>\n<p>{text}</p>\n{content}\n")
}

/// Escapes HTML markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Content that may be wider than the screen.
fn scrolling(content: &str) -> String {
    format!("<div class=\"scroll\" tabindex=\"0\">\n{content}</div>\n")
}

fn preformatted(text: &str) -> String {
    format!("<pre>{}</pre>", escaped(text.trim_end()))
}

/// A number with a narrow space after every three digits.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join("\u{202f}")
}

/// The key figures.
fn facts<N: Network>(options: &Options, run: &Run<N>, matrix: &ConfusionMatrix) -> String {
    let right: u64 = (0..matrix.classes()).map(|class| matrix.count(class, class)).sum();
    let seconds: f64 = run.fit.history().epochs().iter().map(|epoch| epoch.seconds).sum();
    let facts = [
        ("test accuracy", format!("{:.4}", matrix.accuracy())),
        ("mistakes", grouped((matrix.total() - right) as usize)),
        ("parameters", grouped(run.model.parameter_count())),
        ("epochs", run.fit.completed().to_string()),
        ("training time, s", format!("{seconds:.1}")),
        ("seed", options.seed.to_string()),
    ];
    let boxes: String =
        facts.iter().map(|(name, value)| format!("<div><b>{value}</b><span>{name}</span></div>\n")).collect();
    format!("<div class=\"facts\">\n{boxes}</div>\n")
}

/// The metrics of each epoch as a table, and as a CSV file inside the page.
fn numbers(history: &History) -> String {
    let csv = history.to_csv();
    let mut lines = csv.lines().map(|line| line.split(','));
    let head = lines.next().into_iter().flatten().map(|name| {
        let name = if name == "validation" { "test accuracy".into() } else { name.replace('_', " ") };
        format!("<th scope=\"col\">{name}</th>")
    });
    let head: String = head.collect();
    let cell = |text: &str| format!("<td>{}</td>", text.parse().map_or(String::new(), |value| number(&value)));
    let body: String = lines.map(|row| format!("<tr>{}</tr>\n", row.map(cell).collect::<String>())).collect();
    let table = scrolling(&format!("<table class=\"history\">\n<tr>{head}</tr>\n{body}</table>\n"));
    let link = format!(
        "<p><a download=\"history.csv\" href=\"data:text/csv,{}\">history.csv</a></p>",
        csv.replace('\n', "%0A")
    );
    format!("<details><summary>As numbers</summary>\n{table}{link}\n</details>")
}

/// The command that repeats the run.
fn command_line(example: &str) -> String {
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "-_.,/=".contains(c));
    let quoted = |text: String| if plain(&text) { text } else { format!("'{}'", text.replace('\'', "'\\''")) };
    let given: String = std::env::args().skip(1).map(|argument| format!(" {}", quoted(argument))).collect();
    format!("cargo run --release --example {example}{}{given}", if given.is_empty() { "" } else { " --" })
}

/// The confusion matrix as a table: blue for right answers, vermilion for wrong ones, darker the more frequent they are.
fn confusion(matrix: &ConfusionMatrix) -> String {
    let classes = 0..matrix.classes();
    let wrong = |label, answer| if label == answer { 0 } else { matrix.count(label, answer) };
    let max = classes.clone().flat_map(|label| classes.clone().map(move |answer| wrong(label, answer))).max();
    let cell = |label: usize, answer: usize| {
        let count = matrix.count(label, answer);
        let (RGBColor(red, green, blue), strength) = match label == answer {
            true => (BLUE, 0.25),
            false => (VERMILION, 0.75 * (count as f64 / max.unwrap_or(0).max(1) as f64).sqrt()),
        };
        match count {
            0 => "<td></td>".to_string(),
            _ => format!("<td style=\"background:rgba({red},{green},{blue},{strength:.2})\">{count}</td>"),
        }
    };
    let share = |share: f64| format!("<td class=\"share\">{share:.3}</td>");
    let mut table = String::from("<table class=\"confusion\">\n<tr><td></td>");
    table.extend(classes.clone().map(|answer| format!("<th scope=\"col\">{answer}</th>")));
    table += "<th scope=\"col\">recall</th></tr>\n";
    for label in classes.clone() {
        let cells: String = classes.clone().map(|answer| cell(label, answer)).collect();
        table += &format!("<tr><th scope=\"row\">{label}</th>{cells}{}</tr>\n", share(matrix.class(label).recall));
    }
    let shares: String = classes.map(|answer| share(matrix.class(answer).precision)).collect();
    table + &format!("<tr><th scope=\"row\">precision</th>{shares}<td class=\"share\"></td></tr>\n</table>")
}

/// The worst mistakes as images.
fn gallery(images: &Images, mistakes: &[Mistake]) -> String {
    if mistakes.is_empty() {
        return "<p>None.</p>".into();
    }
    let mut gallery = String::from("<div class=\"gallery\">\n");
    for Mistake { image, label, answer, probability } in mistakes.iter().take(SHOWN) {
        let name = format!("image {image} of the test set, a {label}");
        let picture = picture(&name, images.batch(&[*image]).images.as_slice(), images.image_shape()[1]);
        gallery += &format!(
            "<figure>{picture}<figcaption>{label}, predicted {answer}<span>with {probability:.4}</span></figcaption></figure>\n"
        );
    }
    gallery + "</div>"
}

/// An image as SVG: one path for each of 15 gray levels, made of horizontal runs of pixels.
fn picture(name: &str, pixels: &[f32], width: usize) -> String {
    let shade = |pixel: &f32| (15.0 * (f64::from(*pixel) * PIXELS.1 + PIXELS.0)).round() as usize;
    let mut paths = vec![String::new(); 16];
    for (y, row) in pixels.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| shade(a) == shade(b)) {
            write!(paths[shade(&run[0])], "M{x} {y}.5h{}", run.len()).expect("writing to a string never fails");
            x += run.len();
        }
    }
    let size = format!("viewBox=\"0 0 {width} {}\" shape-rendering=\"crispEdges\"", pixels.len() / width);
    let mut svg = format!("<svg role=\"img\" aria-label=\"{name}\" {size}>");
    for (shade, path) in paths.iter().enumerate().skip(1).filter(|(_, path)| !path.is_empty()) {
        svg += &format!("<path stroke=\"#000\" stroke-opacity=\"{:.2}\" d=\"{path}\"/>", shade as f64 / 15.0);
    }
    svg + "</svg>"
}

/// All options and their values.
fn settings(options: &Options) -> String {
    let given = options.settings.iter().map(|(name, value)| (name.as_str(), checkout::relative(Path::new(value))));
    let program = [("threads", wengert::num_threads().to_string()), ("wengert", env!("CARGO_PKG_VERSION").into())];
    let row = |(name, value): (&str, String)| format!("<div><span>{name}</span><b>{}</b></div>\n", escaped(&value));
    format!("<div class=\"settings\">\n{}</div>", given.chain(program).map(row).collect::<String>())
}
