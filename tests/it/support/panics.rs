//! Panics: their messages and reported locations.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::Once;

/// A mistake, and the names in `src/panics` of the messages it shows.
pub type Panic = (&'static str, fn());

thread_local! {
    /// The reported file and line, while a panic is expected on this thread.
    static REPORTED: RefCell<Option<(String, usize)>> = const { RefCell::new(None) };
}

/// A caught panic.
pub struct Report {
    pub message: String,
    /// The reported file and line.
    pub file: String,
    pub line: usize,
}

/// Runs a mistake and returns its panic, if any.
pub fn panic_of(mistake: impl FnOnce()) -> Option<Report> {
    let (payload, (file, line)) = caught(mistake)?;
    Some(Report { message: text(&*payload), file, line })
}

/// Runs a mistake and returns the payload of its panic, if any.
pub fn payload_of(mistake: impl FnOnce()) -> Option<Box<dyn Any + Send>> {
    caught(mistake).map(|(payload, _)| payload)
}

/// The payload of a panic, and the reported file and line.
fn caught(mistake: impl FnOnce()) -> Option<(Box<dyn Any + Send>, (String, usize))> {
    silence_expected_panics();
    REPORTED.set(Some(Default::default()));
    let panicked = panic::catch_unwind(AssertUnwindSafe(mistake));
    let place = REPORTED.take().unwrap_or_default();
    panicked.err().map(|payload| (payload, place))
}

/// Makes the panic hook note where an expected panic is reported, instead of printing it.
fn silence_expected_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let expected = REPORTED.with_borrow_mut(|reported| {
                let at = info.location().map_or_else(Default::default, |at| (at.file().into(), at.line() as usize));
                reported.as_mut().map(|reported| *reported = at)
            });
            if expected.is_none() {
                print(info);
            }
        }));
    });
}

/// The text of a panic.
fn text(payload: &dyn Any) -> String {
    let without_arguments = || payload.downcast_ref::<&str>().map(|text| text.to_string());
    payload.downcast_ref::<String>().cloned().or_else(without_arguments).expect("a panic of this crate has a text")
}

/// The message of a mistake.
pub fn message_of(mistake: impl FnOnce()) -> String {
    panic_of(mistake).expect("the mistake was accepted").message
}

/// The message of each mistake; fails if one is not reported at the calling file.
#[track_caller]
pub fn messages(panics: &[Panic]) -> String {
    let own = Location::caller().file();
    let text = |(name, mistake): &Panic| {
        let report = panic_of(mistake).unwrap_or_else(|| panic!("the mistake of {name} was accepted"));
        assert_eq!(report.file, own, "{name}: {}", report.message);
        format!("{name}\n    {}\n", without_lines(&report.message))
    };
    panics.iter().map(text).collect()
}

/// The message without line and column numbers.
fn without_lines(message: &str) -> String {
    let digits = |c: char| c.is_ascii_digit();
    let mut parts = message.split(".rs:");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| {
        let column = part.trim_start_matches(digits).trim_start_matches(':');
        text + ".rs" + column.trim_start_matches(digits)
    })
}
