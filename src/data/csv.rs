//! Tables of comma-separated values (RFC 4180).
//!
//! A field in double quotes may contain commas, line breaks, and `""` for a quote. Lines end with LF or CRLF; empty
//! lines and a byte order mark are skipped.

use crate::error::{Error, excerpt};
use crate::file;
use crate::panics;
use crate::tensor::{Float, Tensor};
use csv_core::{ReadFieldResult, ReaderBuilder};
use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Reads a table whose first row is a header with the column names.
///
/// # Errors
/// If the file cannot be read, is not UTF-8, is empty, has rows of different lengths, or ends within quotes. The error
/// contains the line number.
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
#[doc(alias("read_csv", "loadtxt"))]
pub fn read(path: impl AsRef<Path>) -> Result<Table, Error> {
    Reader::new().read(path)
}

/// A reader for tables without a header or with another delimiter.
///
/// ```
/// use wengert::data::csv;
/// use wengert::prelude::*;
///
/// # let path = std::env::temp_dir().join(format!("wengert-tsv-{}.tsv", std::process::id()));
/// std::fs::write(&path, "1\t2.5\n3\t4.5\n")?;
/// let table = csv::Reader::new().without_header().delimiter('\t').read(&path)?;
/// assert_eq!(table.tensor(0..table.width())?, tensor![[1.0, 2.5], [3.0, 4.5]]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is read until `read`"]
pub struct Reader {
    header: bool,
    delimiter: u8,
    missing: Missing,
}

/// What a missing number becomes: a field that is empty, `?`, or `NA`, `N/A` or `null` in any case, apart from whitespace.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Missing {
    /// It is an error.
    #[default]
    Refused,
    /// NaN.
    Nan,
    /// The given number.
    Value(f64),
    /// The mean of the numbers of the column that are not NaN; NaN if there are none.
    Mean,
}

impl Reader {
    /// A reader for tables with a header, separated by commas.
    pub fn new() -> Self {
        Reader { header: true, delimiter: b',', missing: Missing::Refused }
    }

    /// Treats the first row as data: columns are identified by position.
    pub fn without_header(self) -> Self {
        Reader { header: false, ..self }
    }

    /// Sets the field delimiter.
    ///
    /// # Panics
    /// If it is not ASCII, or is a quote or a line break.
    #[track_caller]
    pub fn delimiter(self, delimiter: char) -> Self {
        if !delimiter.is_ascii() || "\"\r\n".contains(delimiter) {
            panics::delimiter(delimiter);
        }
        Reader { delimiter: delimiter as u8, ..self }
    }

    /// Sets what missing numbers become in [`Table::tensor`] and [`Table::tensor_f64`].
    ///
    /// ```
    /// use wengert::data::csv::{self, Missing};
    /// use wengert::prelude::*;
    ///
    /// # let path = std::env::temp_dir().join(format!("wengert-missing-{}.csv", std::process::id()));
    /// std::fs::write(&path, "age,height\n20,1.5\nNA,\n40,2.5\n")?;
    /// let table = csv::Reader::new().missing(Missing::Mean).read(&path)?;
    /// assert_eq!(table.tensor(["age", "height"])?, tensor![[20.0, 1.5], [30.0, 2.0], [40.0, 2.5]]);
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn missing(self, missing: Missing) -> Self {
        Reader { missing, ..self }
    }

    /// Reads a table.
    ///
    /// # Errors
    /// See [`csv::read`](read).
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table, Error> {
        let path = path.as_ref();
        let mut content = file::read_text(path)?.into_bytes();
        // With a line break appended, a row is incomplete at the end of the file only within quotes.
        content.push(b'\n');
        let cells = self.parse(path, &content)?;
        if cells.lines.is_empty() {
            return Err(Error::line(path, 1, "table", "a row", "the end of the file".into()));
        }
        let width = if self.header { cells.width } else { 0 };
        // Of columns with the same name, the first stays.
        let positions = (0..width).rev().map(|column| (cells.field(0, column).trim().to_string(), column)).collect();
        Ok(Table { path: path.into(), header: usize::from(self.header), missing: self.missing, positions, cells })
    }

    /// Splits text that ends with a line break into fields.
    fn parse(&self, path: &Path, content: &[u8]) -> Result<Cells, Error> {
        let mut reader = ReaderBuilder::new().delimiter(self.delimiter).build();
        let mut text = vec![0; content.len() + 1];
        let mut cells = Cells::default();
        let (mut read, mut written, mut fields) = (0, 0, 0);
        // The offset and the line number of the current row.
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
                ReadFieldResult::OutputFull => unreachable!("the buffer is longer than the file"),
                ReadFieldResult::End => break,
                ReadFieldResult::Field { .. } if at_end => {
                    return Err(Error::line(path, line, "row", "a closing quote", "the end of the file".into()));
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
        cells.text = String::from_utf8(text).expect("UTF-8 stays valid when split at ASCII delimiters");
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
    /// The concatenated fields, and the end of each.
    text: String,
    ends: Vec<usize>,
    /// The number of fields in each row.
    width: usize,
    /// The line number of each row.
    lines: Vec<usize>,
}

impl Cells {
    /// Completes a row, which must have as many fields as the first one.
    fn end_row(&mut self, path: &Path, line: usize, fields: usize) -> Result<(), Error> {
        if self.lines.is_empty() {
            self.width = fields;
        } else if fields != self.width {
            let expected = format!("{} fields, as in the first row", self.width);
            return Err(Error::line(path, line, "row", &expected, fields.to_string()));
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

/// A table of text fields, returned by [`read`] and [`Reader::read`].
///
/// Its methods convert columns to numbers, labels or classes. Columns are identified by name or by position.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    /// The number of header rows, 0 or 1.
    header: usize,
    missing: Missing,
    /// The positions of the columns by name.
    positions: HashMap<String, usize>,
    cells: Cells,
}

/// A column of a [`Table`], by name or by position. Of columns with the same name, the first is meant.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// The name in the header, without surrounding whitespace.
    Name(&'a str),
    /// The position, starting at 0.
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
            Column::Name(name) => write!(f, "column {}", excerpt(name)),
            Column::Position(position) => write!(f, "column {position}"),
        }
    }
}

impl Table {
    /// The number of rows, not counting the header.
    pub fn len(&self) -> usize {
        self.cells.lines.len() - self.header
    }

    /// Whether there are no rows, not counting the header.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.cells.width
    }

    /// The column names, without surrounding whitespace; empty for a table [without a header](Reader::without_header).
    pub fn names(&self) -> Vec<&str> {
        let width = if self.header == 1 { self.width() } else { 0 };
        (0..width).map(|column| self.cells.field(0, column).trim()).collect()
    }

    /// A column as text, unmodified.
    ///
    /// # Errors
    /// If the column does not exist.
    pub fn text<'a>(&self, column: impl Into<Column<'a>>) -> Result<Vec<&str>, Error> {
        let column = self.position(column.into())?;
        Ok(self.rows().map(|row| self.cells.field(row, column)).collect())
    }

    /// Columns as numbers: `[rows, columns]`.
    ///
    /// Surrounding whitespace is ignored. `nan` and `inf` are numbers; an empty field is [missing](Reader::missing), which
    /// is an error by default.
    ///
    /// # Errors
    /// If a column does not exist, or a field is not a number or overflows. The error contains line, column and field.
    pub fn tensor<'a, C: Into<Column<'a>>>(&self, columns: impl IntoIterator<Item = C>) -> Result<Tensor, Error> {
        self.numbers(columns.into_iter().map(C::into).collect())
    }

    /// [`tensor`](Table::tensor) in double precision: integers up to 2⁵³ are exact.
    ///
    /// # Errors
    /// As for [`tensor`](Table::tensor).
    pub fn tensor_f64<'a, C: Into<Column<'a>>>(
        &self,
        columns: impl IntoIterator<Item = C>,
    ) -> Result<Tensor<f64>, Error> {
        self.numbers(columns.into_iter().map(C::into).collect())
    }

    fn numbers<T: Float + FromStr>(&self, columns: Vec<Column>) -> Result<Tensor<T>, Error> {
        let positions = columns.iter().map(|column| self.position(*column)).collect::<Result<Vec<_>, _>>()?;
        let width = columns.len();
        let mut numbers = Vec::with_capacity(self.len() * width);
        let mut gaps = Vec::new();
        for row in self.rows() {
            for (k, &position) in positions.iter().enumerate() {
                if self.missing != Missing::Refused && is_missing(self.cells.field(row, position)) {
                    gaps.push((numbers.len(), k));
                    numbers.push(T::NAN);
                } else {
                    numbers.push(self.parse_field(row, columns[k], position, "a number", parse_number)?);
                }
            }
        }
        let values: Vec<T> = match self.missing {
            Missing::Value(value) => vec![T::from_f64(value); width],
            Missing::Mean if !gaps.is_empty() => means(&numbers, width),
            _ => vec![T::NAN; width],
        };
        gaps.into_iter().for_each(|(at, k)| numbers[at] = values[k]);
        Ok(Tensor::from_vec(numbers, [self.len(), width]))
    }

    /// A column of non-negative integers, such as class labels or indices. A tensor would round those above 2²⁴.
    ///
    /// # Errors
    /// If the column does not exist, or a field is not a non-negative integer. The error contains line, column and
    /// field.
    pub fn labels<'a>(&self, column: impl Into<Column<'a>>) -> Result<Vec<usize>, Error> {
        let column = column.into();
        let position = self.position(column)?;
        let expected = "a non-negative integer";
        self.rows().map(|row| self.parse_field(row, column, position, expected, |text| text.parse().ok())).collect()
    }

    /// A column of class names as labels: the label of each row, and the name of each label, in sorted order.
    ///
    /// # Errors
    /// If the column does not exist.
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

    /// The rows, not counting the header.
    fn rows(&self) -> std::ops::Range<usize> {
        self.header..self.cells.lines.len()
    }

    /// The position of a column.
    fn position(&self, column: Column) -> Result<usize, Error> {
        let found = match column {
            Column::Position(position) => Some(position).filter(|&position| position < self.width()),
            Column::Name(name) => self.positions.get(name).copied(),
        };
        found.ok_or_else(|| {
            let found = match column {
                Column::Name(_) => format!("columns {}", excerpt(&self.names().join(", "))),
                Column::Position(_) => format!("{} columns", self.width()),
            };
            Error::line(&self.path, self.cells.lines[0], "first row", &column.to_string(), found)
        })
    }

    /// Parses a field without the surrounding whitespace.
    fn parse_field<V>(
        &self,
        row: usize,
        column: Column,
        position: usize,
        expected: &str,
        parse: impl Fn(&str) -> Option<V>,
    ) -> Result<V, Error> {
        let field = self.cells.field(row, position);
        parse(field.trim()).ok_or_else(|| {
            Error::line(&self.path, self.cells.lines[row], &column.to_string(), expected, excerpt(field))
        })
    }
}

/// Whether a field stands for a missing number.
fn is_missing(field: &str) -> bool {
    let field = field.trim();
    ["", "?", "na", "n/a", "null"].iter().any(|text| field.eq_ignore_ascii_case(text))
}

/// The mean of each column of a matrix in row-major order, without NaNs.
fn means<T: Float>(numbers: &[T], width: usize) -> Vec<T> {
    let mut sums = vec![(0.0, 0.0); width];
    for row in numbers.chunks_exact(width) {
        for ((sum, count), number) in sums.iter_mut().zip(row).filter(|(_, number)| !number.is_nan()) {
            (*sum, *count) = (*sum + number.to_f64(), *count + 1.0);
        }
    }
    sums.into_iter().map(|(sum, count)| T::from_f64(sum / count)).collect()
}

/// Parses a number. Overflow is an error, not infinity.
fn parse_number<T: Float + FromStr>(text: &str) -> Option<T> {
    let number: T = text.parse().ok()?;
    Some(number).filter(|number| number.is_finite() || !text.contains(|c: char| c.is_ascii_digit()))
}

fn line_breaks(content: &[u8]) -> usize {
    content.iter().filter(|&&byte| byte == b'\n').count()
}
