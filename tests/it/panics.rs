//! Coverage of `src/panics`: every message is shown by a mistake in some test file.

use crate::support::panics::{Panic, panic_of};
use crate::{
    autograd, data, distributed, inspect, io, limits, metrics, nn, ops, optim, tensor, text, training, transform,
};
use std::path::Path;

/// The mistakes of all files.
fn panics() -> Vec<Panic> {
    let panics = [
        tensor::panics(),
        autograd::panics(),
        ops::panics(),
        inspect::panics(),
        transform::panics(),
        nn::panics(),
        optim::panics(),
        data::panics(),
        metrics::panics(),
        text::panics(),
        io::onnx::PANICS.to_vec(),
        limits::PANICS.to_vec(),
        training::panics(),
        distributed::PANICS.to_vec(),
    ];
    panics.into_iter().flatten().collect()
}

/// The names of the messages in the source, each with its text split at the arguments.
fn declared(source: &str) -> Vec<(&str, Vec<&str>)> {
    let mut messages = Vec::new();
    let mut name = "";
    for line in source.lines().map(str::trim) {
        let signature = line.strip_prefix("pub(crate) fn ").unwrap_or(line);
        let end = signature.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(signature.len());
        if end > 0 && signature[end..].starts_with('(') && !line.starts_with("panic!(") {
            name = &signature[..end];
        }
        let text = line.strip_prefix("format!(").unwrap_or(line).strip_prefix('"');
        if let Some((text, _)) = text.and_then(|text| text.rsplit_once('"')) {
            let fixed = text.split('{').map(|part| part.split_once('}').map_or(part, |(_, after)| after));
            messages.push((name, fixed.collect()));
        }
    }
    messages
}

/// Whether a message consists of these parts with text between them.
fn consists_of(message: &str, parts: &[&str]) -> bool {
    let after = parts.iter().try_fold(message, |rest, part| rest.find(part).map(|at| &rest[at + part.len()..]));
    after.is_some()
}

#[test]
fn every_message_is_shown() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/panics");
    let source = ["mod.rs", "reasons.rs"].map(|file| std::fs::read_to_string(folder.join(file)).unwrap()).concat();
    let messages = declared(&source);
    assert!(messages.len() >= 45, "only {} messages were found", messages.len());
    let shown: Vec<(&str, String)> =
        panics().iter().map(|(names, mistake)| (*names, panic_of(mistake).expect(names).message)).collect();
    for (name, parts) in &messages {
        let of_this_name = || shown.iter().filter(|(names, _)| names.split(' ').any(|other| other == *name));
        assert!(of_this_name().count() > 0, "no mistake shows {name}");
        assert!(
            of_this_name().all(|(_, message)| consists_of(message, parts)),
            "a mistake of {name} shows another message"
        );
    }
}
