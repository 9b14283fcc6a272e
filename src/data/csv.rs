//! Tables of comma-separated values.
//!
//! A row a line, fields separated by commas; a field in double quotes may hold commas and line breaks, and `""` for a quote
//! (RFC 4180). Lines end with LF or CRLF, empty ones do not count, and a byte order mark at the beginning is skipped.

use crate::error::Error;
use crate::panics;
use crate::tensor::Tensor;
use csv_core::{ReadFieldResult, ReaderBuilder};
use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::io::Read;
use std::path::{Path, PathBuf};

/// As much of a faulty field as an error shows.
const SHOWN: usize = 40;

/// Reads a table whose first row has the names of its columns.
///
/// # Errors
/// If the file cannot be read, is not text in UTF-8, has no row, has a row with more or fewer fields than the first, or ends
/// within quotes. The error has the line.
///
/// ```
/// use wengert::data::csv;
/// use wengert::prelude::*;
///
/// # let path = std::env::temp_dir().join(format!("wengert-csv-{}.csv", std::process::id()));
/// std::fs::write(&path, "title,year,rating\n\"Good, Bad and Ugly, The\",1966,4.5\nHeat,1995,4\n")?;
/// let films = csv::read(&path)?;
/// assert_eq!(films.text("title")?, ["Good, Bad and Ugly, The", "Heat"]);
/// assert_eq!(films.tensor(["rating", "year"])?, tensor![[4.5, 1966.0], [4.0, 1995.0]]);
/// assert_eq!(films.labels("year")?, [1966, 1995]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<Table, Error> {
    Reader::new().read(path)
}

/// Reads tables in other forms: without names of columns, or with another delimiter.
///
/// ```
/// use wengert::data::csv;
/// use wengert::prelude::*;
///
/// # let path = std::env::temp_dir().join(format!("wengert-tsv-{}.tsv", std::process::id()));
/// std::fs::write(&path, "1\t2.5\n3\t4.5\n")?;
/// let table = csv::Reader::new().headless().delimiter('\t').read(&path)?;
/// assert_eq!(table.tensor(0..table.width())?, tensor![[1.0, 2.5], [3.0, 4.5]]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reader {
    header: bool,
    delimiter: u8,
}

impl Reader {
    /// Commas, and a first row of names.
    pub fn new() -> Self {
        Reader { header: true, delimiter: b',' }
    }

    /// The first row is not one of names: columns are named by their position.
    pub fn headless(self) -> Self {
        Reader { header: false, ..self }
    }

    /// What separates the fields of a row.
    ///
    /// # Panics
    /// If it is not an ASCII character, or a quote or a line break.
    #[track_caller]
    pub fn delimiter(self, delimiter: char) -> Self {
        if !delimiter.is_ascii() || "\"\r\n".contains(delimiter) {
            panics::delimiter(delimiter);
        }
        Reader { delimiter: delimiter as u8, ..self }
    }

    /// Reads a table.
    ///
    /// # Errors
    /// As [`csv::read`](read).
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table, Error> {
        let path = path.as_ref();
        let mut content = Vec::new();
        super::open(path)?.read_to_end(&mut content).map_err(Error::io(path))?;
        if let Err(error) = str::from_utf8(&content) {
            let (good, bad) = content.split_at(error.valid_up_to());
            let line = 1 + line_breaks(good);
            return Err(fault(path, line, "text", "UTF-8", format!("the byte {:02x}", bad[0])));
        }
        // With a line break at its end, a file is within a row only if it is within quotes.
        content.push(b'\n');
        let cells = self.parse(path, &content)?;
        if cells.lines.is_empty() {
            return Err(fault(path, 1, "table", "a row", "the end of the file".into()));
        }
        Ok(Table { path: path.into(), header: usize::from(self.header), cells })
    }

    /// Cuts text that ends with a line break into fields.
    fn parse(&self, path: &Path, content: &[u8]) -> Result<Cells, Error> {
        let mut reader = ReaderBuilder::new().delimiter(self.delimiter).build();
        let mut text = vec![0; content.len() + 1];
        let mut cells = Cells::default();
        let (mut read, mut written, mut fields) = (0, 0, 0);
        // Where the row begins, and the number of its line.
        let (mut start, mut line) = (0, 1);
        loop {
            let at_end = read == content.len();
            if fields == 0 && !at_end {
                let empty = content[read..].iter().take_while(|byte| b"\r\n".contains(byte)).count();
                line += line_breaks(&content[start..read + empty]);
                start = read + empty;
            }
            let (result, more_read, more_written) = reader.read_field(&content[read..], &mut text[written..]);
            read += more_read;
            written += more_written;
            match result {
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull => unreachable!("fields are not longer than the file"),
                ReadFieldResult::End => break,
                ReadFieldResult::Field { .. } if at_end => {
                    return Err(fault(path, line, "row", "a closing quote", "the end of the file".into()));
                }
                ReadFieldResult::Field { record_end } => {
                    cells.ends.push(written);
                    fields += 1;
                    if record_end {
                        cells.end_row(path, line, fields)?;
                        fields = 0;
                    }
                }
            }
        }
        text.truncate(written);
        cells.text = String::from_utf8(text).expect("text that was cut at ASCII characters");
        Ok(cells)
    }
}

impl Default for Reader {
    fn default() -> Self {
        Reader::new()
    }
}

/// The fields of a table, row by row.
#[derive(Clone, Debug, Default)]
struct Cells {
    /// All fields, one after the other, and where each ends.
    text: String,
    ends: Vec<usize>,
    /// The number of fields in each row.
    width: usize,
    /// The line in which each row begins.
    lines: Vec<usize>,
}

impl Cells {
    /// Checks that the row that has come has as many fields as the first.
    fn end_row(&mut self, path: &Path, line: usize, fields: usize) -> Result<(), Error> {
        if self.lines.is_empty() {
            self.width = fields;
        } else if fields != self.width {
            let expected = format!("{} fields, as in the first row", self.width);
            return Err(fault(path, line, "row", &expected, fields.to_string()));
        }
        self.lines.push(line);
        Ok(())
    }

    fn field(&self, row: usize, column: usize) -> &str {
        let at = row * self.width + column;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }
}

/// The content of a file of comma-separated values: what [`read`] and [`Reader::read`] give.
///
/// Fields are text until a column is asked for as numbers. Columns are named by their heading or by their position,
/// which counts from 0.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    /// The number of rows that are names of columns.
    header: usize,
    cells: Cells,
}

/// A column of a [`Table`]: its name (the first of that name counts), or its position.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// The heading, without spaces around it.
    Name(&'a str),
    /// The position, counted from 0.
    Position(usize),
}

impl<'a, S: AsRef<str> + ?Sized> From<&'a S> for Column<'a> {
    fn from(name: &'a S) -> Self {
        Column::Name(name.as_ref())
    }
}

impl From<usize> for Column<'_> {
    fn from(position: usize) -> Self {
        Column::Position(position)
    }
}

impl Display for Column<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Column::Name(name) => write!(f, "column {}", shown(name)),
            Column::Position(position) => write!(f, "column {position}"),
        }
    }
}

impl Table {
    /// The number of rows, without the heading.
    pub fn len(&self) -> usize {
        self.cells.lines.len() - self.header
    }

    /// Whether there are no rows but the heading.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.cells.width
    }

    /// The names of the columns, without spaces around them; none if the table was read as [headless](Reader::headless).
    pub fn names(&self) -> Vec<&str> {
        let width = if self.header == 1 { self.width() } else { 0 };
        (0..width).map(|column| self.cells.field(0, column).trim()).collect()
    }

    /// A column as text, just as it is in the file.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn text<'a>(&self, column: impl Into<Column<'a>>) -> Result<Vec<&str>, Error> {
        let column = self.position(column.into())?;
        Ok(self.rows().map(|row| self.cells.field(row, column)).collect())
    }

    /// Columns as numbers: `[rows, columns]`.
    ///
    /// Spaces around a number do not matter. `nan` and `inf` are numbers, an empty field is not.
    ///
    /// # Errors
    /// If there is no such column, or a field is not a number, or one too large. The error has the line, the column and the field.
    pub fn tensor<'a, C: Into<Column<'a>>>(&self, columns: impl IntoIterator<Item = C>) -> Result<Tensor, Error> {
        let columns: Vec<Column> = columns.into_iter().map(C::into).collect();
        let positions = columns.iter().map(|column| self.position(*column)).collect::<Result<Vec<_>, _>>()?;
        let mut numbers = Vec::with_capacity(self.len() * columns.len());
        for row in self.rows() {
            for (column, &position) in columns.iter().zip(&positions) {
                numbers.push(self.parsed(row, *column, position, "a number", number)?);
            }
        }
        Ok(Tensor::from_vec(numbers, [self.len(), columns.len()]))
    }

    /// A column of whole numbers, such as class labels or indices, which a tensor would round from 2²⁴ on.
    ///
    /// # Errors
    /// If there is no such column, or a field is not a whole number of 0 or more. The error has the line, the column and the field.
    pub fn labels<'a>(&self, column: impl Into<Column<'a>>) -> Result<Vec<usize>, Error> {
        let column = column.into();
        let position = self.position(column)?;
        let expected = "a whole number of 0 or more";
        self.rows().map(|row| self.parsed(row, column, position, expected, |text| text.parse().ok())).collect()
    }

    /// A column of names as class labels: the label of each row, and the name of each label, in alphabetical order.
    ///
    /// # Errors
    /// If there is no such column.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("wengert-classes-{}.csv", std::process::id()));
    /// std::fs::write(&path, "length,species\n1.4,setosa\n6.0,virginica\n1.3,setosa\n")?;
    /// let (labels, names) = wengert::data::csv::read(&path)?.classes("species")?;
    /// assert_eq!(labels, [0, 1, 0]);
    /// assert_eq!(names, ["setosa", "virginica"]);
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn classes<'a>(&self, column: impl Into<Column<'a>>) -> Result<(Vec<usize>, Vec<String>), Error> {
        let fields = self.text(column)?;
        let names = Vec::from_iter(BTreeSet::from_iter(&fields));
        let label = |field: &&str| names.binary_search(&field).expect("every field is among the names");
        Ok((fields.iter().map(label).collect(), names.into_iter().map(|name| name.to_string()).collect()))
    }

    /// The rows of the file that are not names of columns.
    fn rows(&self) -> std::ops::Range<usize> {
        self.header..self.cells.lines.len()
    }

    /// Where a column is.
    fn position(&self, column: Column) -> Result<usize, Error> {
        let found = match column {
            Column::Position(position) => Some(position).filter(|&position| position < self.width()),
            Column::Name(name) => self.names().iter().position(|other| *other == name),
        };
        found.ok_or_else(|| {
            let found = match column {
                Column::Name(_) => format!("the names {}", shown(&self.names().join(", "))),
                Column::Position(_) => format!("{} columns", self.width()),
            };
            fault(&self.path, self.cells.lines[0], "first row", &column.to_string(), found)
        })
    }

    /// What a field means, without the spaces around it.
    fn parsed<V>(
        &self,
        row: usize,
        column: Column,
        position: usize,
        expected: &str,
        parse: impl Fn(&str) -> Option<V>,
    ) -> Result<V, Error> {
        let field = self.cells.field(row, position);
        parse(field.trim())
            .ok_or_else(|| fault(&self.path, self.cells.lines[row], &column.to_string(), expected, shown(field)))
    }
}

/// Reads a number. One that is too large is none, rather than infinite.
fn number(text: &str) -> Option<f32> {
    let number: f32 = text.parse().ok()?;
    Some(number).filter(|number| number.is_finite() || !text.contains(|c: char| c.is_ascii_digit()))
}

/// The beginning of a text, in quotes, with nothing in it that a terminal would obey.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?} …", &text[..end]),
        None => format!("{text:?}"),
    }
}

fn line_breaks(content: &[u8]) -> usize {
    content.iter().filter(|&&byte| byte == b'\n').count()
}

fn fault(path: &Path, line: usize, what: &str, expected: &str, found: String) -> Error {
    Error::Line { path: path.into(), line, what: what.into(), expected: expected.into(), found }
}
