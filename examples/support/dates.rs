//! Dates, by ISO 8601 and as people write them.

use wengert::prelude::*;
use wengert::rand::RngExt;
use wengert::rand::seq::IndexedRandom;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// The years whose last two digits tell the century, as in POSIX.
const YEARS: std::ops::Range<usize> = 1969..2069;

pub struct Date {
    year: usize,
    /// From 1, as the day.
    month: usize,
    day: usize,
    /// From 0, which is Monday.
    weekday: usize,
}

/// All dates from 1969 to 2068.
pub fn dates() -> Vec<Date> {
    let mut dates = Vec::new();
    for year in YEARS {
        // The only century year among them, 2000, is a leap year.
        let february = if year % 4 == 0 { 29 } else { 28 };
        for (month, days) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            for day in 1..=days {
                // The first was a Wednesday.
                dates.push(Date { year, month, day, weekday: (2 + dates.len()) % 7 });
            }
        }
    }
    dates
}

impl Date {
    /// The date by ISO 8601, as in 2026-11-26.
    pub fn iso(&self) -> String {
        let Date { year, month, day, .. } = self;
        format!("{year}-{month:02}-{day:02}")
    }

    /// The date in a random one of many forms.
    pub fn written(&self, rng: &mut impl Rng) -> String {
        let text = if rng.random_bool(0.4) { self.in_numbers(rng) } else { self.in_words(rng) };
        match rng.random_range(0..4) {
            0 => text.to_lowercase(),
            1 => text.to_uppercase(),
            _ => text,
        }
    }

    /// The separator tells the order: 26.11.2026, 11/26/2026, 2026/11/26.
    fn in_numbers(&self, rng: &mut impl Rng) -> String {
        let Date { year, month, day, .. } = self;
        let width = rng.random_range(1..=2);
        let (month, day) = (format!("{month:0width$}"), format!("{day:0width$}"));
        match rng.random_range(0..5) {
            0 | 1 => format!("{day}.{month}.{}", self.any_year(rng)),
            2 | 3 => format!("{month}/{day}/{}", self.any_year(rng)),
            _ => format!("{year}/{month}/{day}"),
        }
    }

    /// Thursday, the 26th of November 2026, or shorter, or with the month first.
    fn in_words(&self, rng: &mut impl Rng) -> String {
        let (month, year) = (either_length(MONTHS[self.month - 1], rng), self.any_year(rng));
        let weekday = match rng.random_range(0..4) {
            0 => either_length(WEEKDAYS[self.weekday], rng) + " ",
            1 => either_length(WEEKDAYS[self.weekday], rng) + ", ",
            _ => String::new(),
        };
        let (day, ordinal) = (self.day, self.ordinal());
        let written = match rng.random_range(0..7) {
            0 => format!("{day} {month} {year}"),
            1 => format!("{ordinal} {month} {year}"),
            2 => format!("the {ordinal} of {month}, {year}"),
            3 => format!("{month} {day} {year}"),
            4 => format!("{month} {day}, {year}"),
            5 => format!("{month} the {ordinal}, {year}"),
            _ => format!("{day}-{month}-{year}"),
        };
        weekday + &written
    }

    /// The year with four digits, or its last two.
    fn any_year(&self, rng: &mut impl Rng) -> String {
        let digits = self.year.to_string();
        if rng.random_bool(0.3) { digits[2..].to_string() } else { digits }
    }

    fn ordinal(&self) -> String {
        let suffix = match (self.day % 10, self.day / 10) {
            (1, 0 | 2 | 3) => "st",
            (2, 0 | 2) => "nd",
            (3, 0 | 2) => "rd",
            _ => "th",
        };
        format!("{}{suffix}", self.day)
    }
}

/// A name or its first three letters.
fn either_length(name: &str, rng: &mut impl Rng) -> String {
    [name, &name[..3]].choose(rng).expect("there are two").to_string()
}
