//! Files of rows that are read where they are needed.

use crate::data::Dataset;
use crate::error::Error;
use crate::file::read_at;
use crate::panics;
use crate::tensor::{Dims, Float, Tensor, element_count};
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::VecDeque;
use std::fmt::{self, Debug, Formatter};
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of numbers whose rows, along the first axis, are read where they are needed: it may be larger than memory.
///
/// [`idx::open`](super::idx::open) and [`npy::open`](crate::io::npy::open) open one. It is a [`Dataset`] whose batches are read row by
/// row; [`stream`](RowFile::stream) reads blocks of rows in sequence, which is what disks are fast at.
///
/// It is read by position and not mapped into memory: access to a mapped file that has become shorter kills the process, while here
/// it is an [`Error`].
///
/// ```
/// use wengert::io::npy;
/// use wengert::prelude::*;
///
/// # let directory = tempfile::tempdir().unwrap();
/// let path = directory.path().join("rows.npy");
/// npy::write(Tensor::<f32>::arange(0.0, 1000.0, 1.0).reshape([500, 2]), &path)?;
/// let rows = npy::open::<f32>(&path)?;
/// assert_eq!((rows.len(), rows.row_shape()), (500, &[2][..]));
/// assert_eq!(rows.batch(&[3, 1])?, tensor![[6.0, 7.0], [2.0, 3.0]]);
/// # Ok::<(), wengert::Error>(())
/// ```
pub struct RowFile<T: Float = f32> {
    path: PathBuf,
    file: File,
    /// The offset of the first row.
    start: u64,
    /// The number of bytes of an element.
    width: usize,
    count: usize,
    row: Dims,
    decode: Decode<T>,
}

/// Converts the bytes of elements; describes one that has no conversion.
pub(crate) type Decode<T> = Box<dyn Fn(Vec<u8>) -> Result<Vec<T>, String> + Send + Sync>;

impl<T: Float> RowFile<T> {
    /// The rows of a file, whose length has been checked.
    pub(crate) fn new(
        path: &Path,
        file: File,
        start: u64,
        shape: &[usize],
        width: usize,
        decode: Decode<T>,
    ) -> Result<Self, Error> {
        let [count, row @ ..] = shape else {
            return Err(Error::format(path, 0, "shape", "rows along a first axis", "a scalar".into()));
        };
        Ok(RowFile { path: path.into(), file, start, width, count: *count, row: Dims::from_slice(row), decode })
    }

    /// The shape of one row.
    pub fn row_shape(&self) -> &[usize] {
        &self.row
    }

    /// The rows in a range, `[n, …]`.
    ///
    /// # Panics
    /// If the range exceeds the number of rows.
    ///
    /// # Errors
    /// If the file cannot be read, has become shorter, or has an integer that no number represents.
    #[doc(alias("memmap", "mmap"))]
    #[track_caller]
    pub fn read(&self, rows: Range<usize>) -> Result<Tensor<T>, Error> {
        if rows.start > rows.end || rows.end > self.count {
            panics::row_out_of_range(rows.end.max(rows.start), &[self.count]);
        }
        let count = rows.len();
        Ok(self.tensor(count, self.elements(rows)?))
    }

    /// The elements of the rows in a range.
    fn elements(&self, rows: Range<usize>) -> Result<Vec<T>, Error> {
        let size = element_count(&self.row) * self.width;
        let offset = self.start + rows.start as u64 * size as u64;
        let mut bytes = vec![0; rows.len() * size];
        read_at(&self.path, &self.file, &mut bytes, offset, "rows")?;
        let unfit = |found| Error::format(&self.path, offset, "rows", "integers that fit in an i64", found);
        (self.decode)(bytes).map_err(unfit)
    }

    fn tensor(&self, count: usize, elements: Vec<T>) -> Tensor<T> {
        Tensor::from_vec(elements, [&[count], &*self.row].concat())
    }

    /// Reads the rows in blocks, and yields batches of `size` rows; the last one may be smaller.
    ///
    /// # Panics
    /// If `size` is 0.
    ///
    /// ```
    /// use wengert::data::idx;
    ///
    /// # fn main() -> Result<(), wengert::Error> {
    /// # let path = std::env::temp_dir().join(format!("wengert-stream-{}", std::process::id()));
    /// # std::fs::write(&path, [&[0, 0, 8, 1, 0, 0, 1, 0][..], &Vec::from_iter(0..=255)].concat()).unwrap();
    /// let labels: Vec<usize> = (0..256).collect(); // small enough for memory
    /// let images = idx::open::<f32>(&path)?;
    /// // Blocks of 16 rows in random order; the rows of 4 of them are in memory, and mixed, at a time.
    /// for batch in images.stream(32).block(16).shuffled(4, &mut wengert::rng(0)) {
    ///     let batch = batch?;
    ///     let labels: Vec<usize> = batch.indices.iter().map(|&row| labels[row]).collect();
    ///     assert_eq!(batch.rows.len(), labels.len());
    ///     assert_eq!(batch.rows[[0]], labels[0] as f32);
    /// }
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "IterableDataset")]
    #[track_caller]
    pub fn stream(&self, size: usize) -> Stream<'_, T> {
        if size == 0 {
            panics::batch_size();
        }
        // A megabyte: longer reads are hardly faster.
        let row = (element_count(&self.row) * self.width).max(1);
        let mut stream = Stream {
            file: self,
            size,
            block: 1,
            window: 1,
            rng: None,
            blocks: VecDeque::new(),
            waiting: VecDeque::new(),
        };
        stream.set_block(((1 << 20) / row).max(1));
        stream
    }
}

impl<T: Float> Dataset for RowFile<T> {
    type Batch = Result<Tensor<T>, Error>;

    fn len(&self) -> usize {
        self.count
    }

    #[track_caller]
    fn batch(&self, indices: &[usize]) -> Self::Batch {
        if let Some(&row) = indices.iter().find(|&&row| row >= self.count) {
            panics::row_out_of_range(row, &[self.count]);
        }
        let mut elements = Vec::with_capacity(indices.len() * element_count(&self.row));
        // Successive rows are one read.
        for run in indices.chunk_by(|a, b| a + 1 == *b) {
            elements.extend(self.elements(run[0]..run[0] + run.len())?);
        }
        Ok(self.tensor(indices.len(), elements))
    }
}

impl<T: Float> Debug for RowFile<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let RowFile { path, count, row, .. } = self;
        f.debug_struct("RowFile").field("path", path).field("len", count).field("row", row).finish_non_exhaustive()
    }
}

/// An iterator over the rows of a file in batches, made by [`RowFile::stream`].
///
/// The order depends on the generator, the size of the blocks and the window, and not on the size of the batches. After an error
/// it ends.
#[must_use = "iterators are lazy"]
pub struct Stream<'a, T: Float = f32> {
    file: &'a RowFile<T>,
    size: usize,
    /// The number of rows that are read together.
    block: usize,
    /// The number of blocks whose rows are mixed.
    window: usize,
    rng: Option<crate::generator::Generator>,
    /// The blocks that have not been read.
    blocks: VecDeque<usize>,
    /// Rows that have been read: their blocks, and their positions in the file.
    waiting: VecDeque<(Arc<Vec<T>>, usize)>,
}

/// A batch of rows of a file.
#[derive(Clone, Debug)]
pub struct RowBatch<T: Float = f32> {
    /// `[n, …]`.
    pub rows: Tensor<T>,
    /// The position of each row in the file, such as to look up its label.
    pub indices: Vec<usize>,
}

impl<T: Float> Stream<'_, T> {
    /// Sets the number of rows that are read together; a megabyte of them by default. Call it before
    /// [`shuffled`](Stream::shuffled).
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn block(mut self, rows: usize) -> Self {
        if rows == 0 {
            panics::option("block", 0.0, "at least 1");
        }
        self.set_block(rows);
        self
    }

    fn set_block(&mut self, rows: usize) {
        self.block = rows;
        self.blocks = (0..self.file.count.div_ceil(rows)).collect();
    }

    /// Shuffles the blocks, and the rows of each `window` successive blocks among each other. Memory holds that many blocks.
    ///
    /// The result is not a uniform permutation: rows of one block stay close. With blocks much smaller than the window, in a file
    /// that is not sorted, training does not notice.
    ///
    /// # Panics
    /// If the window is 0.
    #[track_caller]
    pub fn shuffled(mut self, window: usize, rng: &mut impl Rng) -> Self {
        if window == 0 {
            panics::option("window", 0.0, "at least 1");
        }
        self.window = window;
        self.blocks.make_contiguous().shuffle(rng);
        self.rng = Some(rand::SeedableRng::seed_from_u64(rng.next_u64()));
        self
    }

    /// Reads the next window.
    fn read(&mut self) -> Result<(), Error> {
        let mut rows = Vec::new();
        for block in self.blocks.drain(..self.window.min(self.blocks.len())) {
            let begin = block * self.block;
            let range = begin..begin.saturating_add(self.block).min(self.file.count);
            let elements = Arc::new(self.file.elements(range.clone())?);
            rows.extend(range.map(|row| (Arc::clone(&elements), row)));
        }
        if let Some(rng) = &mut self.rng {
            rows.shuffle(rng);
        }
        self.waiting.extend(rows);
        Ok(())
    }
}

impl<T: Float> Iterator for Stream<'_, T> {
    type Item = Result<RowBatch<T>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.waiting.len() < self.size && !self.blocks.is_empty() {
            if let Err(error) = self.read() {
                (self.blocks, self.waiting) = Default::default();
                return Some(Err(error));
            }
        }
        if self.waiting.is_empty() {
            return None;
        }
        let size = element_count(&self.file.row);
        let (mut elements, mut indices) = (Vec::new(), Vec::new());
        for (block, row) in self.waiting.drain(..self.size.min(self.waiting.len())) {
            let at = row % self.block * size;
            elements.extend_from_slice(&block[at..at + size]);
            indices.push(row);
        }
        Some(Ok(RowBatch { rows: self.file.tensor(indices.len(), elements), indices }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.file.count.div_ceil(self.size)))
    }
}

impl<T: Float> Debug for Stream<'_, T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Stream { file, size, block, window, .. } = self;
        let mut shown = f.debug_struct("Stream");
        shown.field("file", file).field("size", size).field("block", block).field("window", window);
        shown.finish_non_exhaustive()
    }
}
