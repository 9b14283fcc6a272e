//! CSV files, in their variants and malformed.

use crate::support::files::overwrite;
use crate::support::panics::{Panic, messages};
use std::fs;
use std::path::PathBuf;
use wengert::Error;
use wengert::data::csv::{self, Missing, Table};
use wengert::prelude::*;
use wengert::rand::RngExt;

pub const PANICS: &[Panic] = &[
    ("delimiter", || _ = csv::Reader::new().delimiter('，')),
    ("delimiter", || _ = csv::Reader::new().delimiter('"')),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// A file for one test, removed at its end.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.csv"));
        overwrite(&path, content);
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn table(name: &str, content: impl AsRef<[u8]>) -> Result<Table, Error> {
    csv::read(&File::new(name, content).0)
}

/// The error message without the directory.
fn message(error: Error) -> String {
    let text = error.to_string();
    text.rsplit_once('/').map_or(text.clone(), |(_, rest)| format!("\"{rest}"))
}

#[test]
fn tables_are_read_in_the_forms_in_which_they_come() {
    let plain = "a,b c,d\n1,x,-2.5\n2,y,1e3\n";
    let same = [
        ("crlf", plain.replace('\n', "\r\n")),
        ("no_end", plain.trim_end().to_string()),
        ("mark", format!("\u{feff}{plain}")),
        ("empty_lines", format!("\n\r\n{}\n\n", plain.replace('\n', "\n\n"))),
        ("quotes", "\"a\",\"b c\",\"d\"\n\"1\",\"x\",\"-2.5\"\n2,y,1e3\n".into()),
        ("spaces", " a ,b c , d\n 1 ,x, -2.5\n2,y,1e3 \n".into()),
    ];
    for (name, text) in same {
        let table = table(name, text).unwrap();
        assert_eq!((table.len(), table.width(), table.names()), (2, 3, vec!["a", "b c", "d"]), "{name}");
        assert_eq!(table.tensor(["d", "a"]).unwrap(), tensor![[-2.5, 1.0], [1000.0, 2.0]], "{name}");
        assert_eq!(table.tensor([2, 0]).unwrap(), table.tensor(["d", "a"]).unwrap(), "{name}");
        assert_eq!(table.text("b c").unwrap(), ["x", "y"], "{name}");
        assert_eq!(table.labels(0).unwrap(), [1, 2], "{name}");
    }
    let quoted = table("quoted", "t\n\"a, \"\"b\"\"\r\nc\"\n\"\"\n日本\n").unwrap();
    assert_eq!(quoted.text("t").unwrap(), ["a, \"b\"\r\nc", "", "日本"]);
    let file = File::new("semicolons", "1,5;2\n3;4\n");
    let table = csv::Reader::new().without_header().delimiter(';').read(&file.0).unwrap();
    assert_eq!((table.text(0).unwrap(), table.labels(1).unwrap()), (vec!["1,5", "3"], vec![2, 4]));
    assert_eq!(table.names(), [""; 0]);
}

#[test]
fn films_with_commas_and_large_numbers_survive() {
    let text = "1,\"American President, The (1995)\",Comedy|Drama\n16777217,Heat (1995),Action\n";
    let file = File::new("films", text);
    let films = csv::Reader::new().without_header().read(&file.0).unwrap();
    assert_eq!(films.text(1).unwrap(), ["American President, The (1995)", "Heat (1995)"]);
    assert_eq!(films.labels(0).unwrap(), [1, 16_777_217], "a tensor would round this");
    assert_eq!(films.classes(2).unwrap(), (vec![1, 0], vec!["Action".into(), "Comedy|Drama".into()]));
}

#[test]
fn numbers_are_what_they_say() {
    let numbers = table("numbers", "x\nnan\ninf\n-inf\n+1\n.5\n1e-50\n").unwrap().tensor(["x"]).unwrap().to_vec();
    assert!(numbers[0].is_nan());
    assert_eq!(numbers[1..], [f32::INFINITY, f32::NEG_INFINITY, 1.0, 0.5, 0.0]);
    for text in ["", "1e39", "1_000", "0x1", "1 2", "one", "--1"] {
        assert!(table("not_a_number", format!("x,y\n1,1\n{text},1\n")).unwrap().tensor(["x"]).is_err(), "{text:?}");
    }
}

#[test]
fn faults_of_tables_say_where() {
    let read = |name: &str, content: &[u8]| message(table(name, content).unwrap_err());
    let mut text = vec![
        read("empty", b""),
        read("blank", b"\n\n\n"),
        read("short", b"a,b,c\n1,2,3\n\n4,5\n"),
        read("long", b"a,b\n\"1\n2\",3\n4,5,6\n"),
        read("latin1", b"name\nRen\xe9e\n"),
        read("open_quote", b"a,b\n1,2\n3,\"4\n5,6\n7,8\n"),
        read("open_quote_at_end", b"a\n\""),
    ];
    let films =
        table("columns", "title,stars\nHeat,4\nBrazil,\"five,\nor six and a lot more text than fits\u{1b}[31m\"\n");
    let films = films.unwrap();
    text.extend([
        message(films.tensor(["stars"]).unwrap_err()),
        message(films.tensor([1]).unwrap_err()),
        message(films.labels("stars").unwrap_err()),
        message(films.text("year").unwrap_err()),
        message(films.text(2).unwrap_err()),
    ]);
    text.push(csv::read("no/such/file.csv").unwrap_err().to_string());
    assert!(csv::read(env!("CARGO_TARGET_TMPDIR")).unwrap_err().to_string().contains("not a regular file"));
    insta::assert_snapshot!(text.join("\n"));
}

/// Reads a table in every way, whatever its contents.
fn look(table: &Table) {
    assert!(table.names().len() <= table.width());
    let _ = table.tensor(0..table.width());
    for column in 0..table.width() {
        assert_eq!(table.text(column).unwrap().len(), table.len());
        let _ = table.labels(column);
        let (labels, names) = table.classes(column).unwrap();
        assert!(labels.iter().all(|&label| label < names.len()));
    }
}

#[test]
fn broken_tables_are_refused_or_read_but_never_panic() {
    let mut rng = wengert::rng(3);
    let sound = "id,\"name, of it\",value\r\n1,\"a \"\"b\"\"\",0.5\n2,\u{e9}t\u{e9},1e3\n\n3,\"x\ny\",-7\n".as_bytes();
    let file = File::new("broken", sound);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..3000 {
        let mut bytes = sound.to_vec();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..bytes.len());
            match rng.random_range(0..4) {
                0 => bytes[at] = b"\",\n\r;\0\xff 1"[rng.random_range(0..9)],
                1 => bytes[at] = rng.random_range(0..=255),
                2 => bytes.truncate(at + 1),
                _ => bytes.insert(at, b"\",\n\r"[rng.random_range(0..4)]),
            }
        }
        overwrite(&file.0, &bytes);
        for reader in [csv::Reader::new(), csv::Reader::new().without_header().delimiter(';')] {
            match reader.read(&file.0) {
                Ok(table) => {
                    look(&table);
                    read += 1;
                }
                Err(error) => {
                    let Error::Line { line, .. } = &error else { panic!("{error}") };
                    assert!((1..=bytes.len() + 1).contains(line), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(read > 500 && refused > 500, "{read} were read, {refused} refused");
}

#[test]
fn missing_numbers_are_refused_or_filled() {
    let file = File::new("missing", "a,b,c\n1,,x\n NA ,2,y\n3,n/a,\nnan,?,NULL\n2,4,z\n");
    let read = |missing| csv::Reader::new().missing(missing).read(&file.0).unwrap().tensor(["a", "b"]);
    assert!(message(read(Missing::Refused).unwrap_err()).contains("expected a number, found \"\""));
    let nan = read(Missing::Nan).unwrap();
    assert_eq!(nan.iter().map(|x| u8::from(x.is_nan())).collect::<Vec<_>>(), [0, 1, 1, 0, 0, 1, 1, 1, 0, 0]);
    let filled = read(Missing::Value(-1.0)).unwrap().to_vec();
    assert_eq!(filled[..6], [1.0, -1.0, -1.0, 2.0, 3.0, -1.0]);
    let filled = read(Missing::Mean).unwrap().to_vec();
    assert_eq!((&filled[..6], filled[6].is_nan(), filled[7]), (&[1.0, 3.0, 2.0, 2.0, 3.0, 3.0][..], true, 3.0));
    // What is there must be a number.
    let table = csv::Reader::new().missing(Missing::Mean).read(&file.0).unwrap();
    assert!(table.tensor(["c"]).is_err() && table.labels("b").is_err());
    assert!(self::table("all_missing", "a\n?\n").unwrap().tensor(["a"]).is_err());
}

#[test]
fn numbers_in_double_precision_are_not_rounded_to_single() {
    let table = table("double", "id,x\n16777217,0.1\n9007199254740991,1e300\n").unwrap();
    assert_eq!(table.tensor_f64(["id", "x"]).unwrap(), tensor![f64; [16777217.0, 0.1], [9007199254740991.0, 1e300]]);
    assert!(table.tensor(["x"]).is_err());
}

#[test]
fn many_columns_are_found_by_name_in_time() {
    let names: Vec<String> = (0..40_000).map(|k| format!("column {k}")).collect();
    let numbers = vec!["1"; names.len()].join(",");
    let table = table("wide", format!("{}\n{numbers}\n", names.join(","))).unwrap();
    assert_eq!(table.tensor(&names).unwrap(), Tensor::ones([1, names.len()]));
    assert!(names.iter().all(|name| table.labels(name).unwrap() == [1]));
}

#[cfg(target_os = "linux")]
#[test]
fn special_files_are_not_read_to_an_end_that_they_do_not_have() {
    // Of length 0, but not empty.
    let path = "/proc/self/status";
    assert!(csv::read(path).unwrap_err().to_string().contains("expected a row, found the end of the file"));
    assert!(wengert::data::idx::read(path).unwrap_err().to_string().contains("found the end of the file after 0"));
}
