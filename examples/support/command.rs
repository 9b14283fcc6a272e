//! The command line of the numbered examples.

use clap::{Arg, ArgAction, ArgMatches, Command};
use std::panic;
use std::process::exit;

/// Parses the command line of the example with the given source, whose leading comment is the text of `--help`, and with the
/// given options besides `--quick`. From here on a closed pipe, as in `… | head`, ends the program without a message.
pub fn start(source: &str, options: impl IntoIterator<Item = Arg>) -> ArgMatches {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let closed = info.payload().downcast_ref::<String>().is_some_and(|text| text.contains("printing to stdout"));
        if closed { exit(0) } else { report(info) }
    }));
    let comment: Vec<&str> = source.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let about = comment.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n");
    let quick = Arg::new("quick").long("quick").action(ArgAction::SetTrue).help("Takes a few seconds, and shows less");
    Command::new(env!("CARGO_BIN_NAME")).about(about).args(options).arg(quick).get_matches()
}
