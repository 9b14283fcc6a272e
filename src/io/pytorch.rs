//! The files of `torch.save`, in which state dicts and checkpoints of PyTorch are kept.
//!
//! A file is a zip archive of a pickle, which describes the tensors, and one entry for the elements of each storage. Pickles are
//! programs that Python executes. Here nothing is executed: dictionaries, lists, tensors and parameters are understood, and
//! anything else is an error.
//!
//! Tensors in containers are named by their keys and positions, joined by dots. This reads the weights out of
//! `torch.save({"model": model.state_dict(), "epoch": 3}, "run.pt")`:
//!
//! ```no_run
//! use wengert::io;
//! use wengert::prelude::*;
//!
//! # let mut model: Linear = Linear::new(3, 2, Init::He, &mut wengert::rng(0));
//! let arrays = io::pytorch::read("run.pt")?;
//! println!("{:?}", arrays["model.weight"].shape());
//! io::LoadOptions::new().strip_prefix("model.").load(&mut model, "run.pt")?;
//! # Ok::<(), wengert::Error>(())
//! ```

use crate::error::{Error, shortened};
use crate::io::array::{Array, impossible};
use crate::io::contents::{Contents, StoredArray, WeightFile, by_name};
use crate::io::pickle::{self, Heap, Id, Object, StoredTensor};
use crate::io::zip::{Archive, Entry, archive_error};
use rawzip::{CompressionMethod, FileReader, ZipArchive};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

/// The maximum length of a pickle: some hundred thousand tensors.
const MAX_PICKLE: u64 = 1 << 24;
/// The maximum number of containers around a tensor.
const MAX_DEPTH: usize = 32;
/// How often the bytes of a file may be used, by tensors that overlap.
const MAX_SHARING: u64 = 16;
const PICKLE: &str = "data.pkl";

/// Reads all tensors of a file that `torch.save` of PyTorch 1.6 or later wrote.
///
/// Tensors that are not contiguous become so. What is not a tensor, such as the number of an epoch, is left out.
///
/// # Errors
/// If the file cannot be read, is not intact, or holds anything but tensors of real numbers in dictionaries, lists and tuples:
/// whole modules, for example. The message has the lines of Python that convert it to [safetensors](super::safetensors).
/// Checksums are not verified.
pub fn read(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>, Error> {
    let file = WeightFile::open(path.as_ref())?;
    contents(&file, Archive::open(&file)?)?.read()
}

/// Whether the entries of an archive are those of `torch.save`.
pub(super) fn is_archive(archive: &Archive) -> bool {
    archive.entries.iter().any(|entry| directory(entry).is_some())
}

/// The directory within the archive, if an entry is its pickle.
fn directory(entry: &Entry) -> Option<&str> {
    entry.name.strip_suffix(PICKLE).filter(|directory| directory.is_empty() || directory.ends_with('/'))
}

/// The error of a file that PyTorch wrote before version 1.6.
pub(super) fn without_archive(path: &Path) -> Error {
    unsupported(path, 0, "a zip archive, as of PyTorch 1.6", "a pickle alone".into())
}

/// An error with the lines of Python that help.
fn unsupported(path: &Path, offset: u64, expected: &str, found: String) -> Error {
    let (target, found) = (path.with_extension("safetensors"), shortened(&found, 200));
    let lines = format!(
        "{found}; to convert the file in Python:\n  import torch, safetensors.torch\n  state = torch.load({path:?}, \
         map_location=\"cpu\")\n  safetensors.torch.save_file({{name: x.clone().contiguous() for name, x in state.items()}}, \
         {target:?})"
    );
    Error::format(path, offset, "pickle", expected, lines)
}

/// The tensors of a file.
pub(super) fn contents(file: &Rc<WeightFile>, archive: Archive) -> Result<Contents, Error> {
    let path = file.path.as_path();
    let Archive { content, entries } = archive;
    let Some(directory) = entries.iter().find_map(|entry| directory(entry).map(str::to_string)) else {
        return Err(Error::format(path, 0, "archive", "an entry data.pkl", format!("{} others", entries.len())));
    };
    let entries =
        entries.into_iter().filter_map(|entry| Some((entry.name.strip_prefix(&directory)?.to_string(), entry)));
    let archive = Directory { file, content, entries: by_name(entries) };
    if archive.entries.contains_key("byteorder") {
        let (begin, end) = archive.range("byteorder")?;
        if file.bytes(begin, (end - begin).min(16))? != b"little" {
            return Err(unsupported(path, begin, "little-endian elements", "another byte order".into()));
        }
    }
    let (begin, end) = archive.range(PICKLE)?;
    if end - begin > MAX_PICKLE {
        let expected = format!("at most {MAX_PICKLE} bytes");
        return Err(unsupported(path, begin, &expected, (end - begin).to_string()));
    }
    let bytes = file.bytes(begin, end - begin)?;
    let failed = |(at, expected, found): pickle::Failure| unsupported(path, begin + at as u64, expected, found);
    let heap = pickle::parse(&bytes).map_err(failed)?;
    let mut tensors = Tensors { heap: &heap, named: BTreeMap::new(), budget: 64 * bytes.len() };
    tensors
        .visit(heap.root, "", MAX_DEPTH)
        .map_err(|found| unsupported(path, begin, "tensors in a few levels of dictionaries with names", found))?;
    let (mut arrays, mut total) = (BTreeMap::new(), 0);
    for (name, tensor) in tensors.named {
        let array = archive.array(&name, tensor)?;
        total += array.bytes();
        if total > file.length.saturating_mul(MAX_SHARING) {
            let expected = format!("tensors of {MAX_SHARING} times the size of the file at most");
            return Err(unsupported(path, begin, &expected, "more".into()));
        }
        arrays.insert(name, array);
    }
    Ok(Contents { arrays, metadata: BTreeMap::new() })
}

/// The entries of a file by their names in its directory.
struct Directory<'a> {
    file: &'a Rc<WeightFile>,
    content: ZipArchive<FileReader>,
    entries: BTreeMap<String, Entry>,
}

impl Directory<'_> {
    /// Where the bytes of an entry begin and end, within the file.
    fn range(&self, name: &str) -> Result<(u64, u64), Error> {
        let error = |offset, expected: &str, found: String| {
            Error::format(&self.file.path, offset, &format!("entry {name:?}"), expected, found)
        };
        let Some(entry) = self.entries.get(name) else { return Err(error(0, "an entry of this name", "none".into())) };
        if entry.method != CompressionMethod::STORE {
            return Err(error(entry.offset, "no compression (0)", entry.method.as_u16().to_string()));
        }
        let content = self.content.get_entry(entry.wayfinder).map_err(|error| archive_error(&self.file.path, error))?;
        let (begin, end) = content.compressed_data_range();
        if begin > end || end > self.file.length {
            return Err(error(
                entry.offset,
                &format!("{} bytes", end.saturating_sub(begin)),
                "the end of the file".into(),
            ));
        }
        Ok((begin, end))
    }

    /// A tensor, whose elements must be within its storage.
    fn array(&self, name: &str, tensor: StoredTensor) -> Result<StoredArray, Error> {
        let StoredTensor { storage, offset, shape, strides } = tensor;
        let (begin, end) = self.range(&format!("data/{}", storage.entry))?;
        let size = storage.dtype.size() as u64;
        let what = format!("tensor {name:?}");
        let error = |expected: &str, found: String| Error::format(&self.file.path, begin, &what, expected, found);
        if storage.length.checked_mul(size) != Some(end - begin) {
            return Err(error(
                &format!("{} elements of {size} bytes", storage.length),
                format!("{} bytes", end - begin),
            ));
        }
        let last = || {
            let span = shape.iter().zip(&strides).try_fold(0u64, |sum, (&n, &stride)| {
                sum.checked_add((n as u64).checked_sub(1)?.checked_mul(stride as u64)?)
            })?;
            span.checked_add(offset)
        };
        let fits = shape.contains(&0) || last().is_some_and(|last| last < storage.length);
        // Elements that are counted several times: an expanded tensor of a few bytes could claim any size.
        let count = storage.dtype.bytes(&shape).map(|bytes| bytes / size);
        if shape.len() != strides.len() || !fits || count.is_none_or(|count| count > storage.length) {
            let found = format!("offset {offset}, shape {}, strides {}", impossible(&shape), impossible(&strides));
            return Err(error(&format!("distinct places within {} elements", storage.length), found));
        }
        let offset = if shape.contains(&0) { begin } else { begin + offset * size };
        Ok(StoredArray::strided(self.file, offset, storage.dtype, shape, strides))
    }
}

/// The tensors that containers hold.
struct Tensors<'a> {
    heap: &'a Heap,
    named: BTreeMap<String, StoredTensor>,
    /// How many bytes of names may still be made: shared containers could multiply them.
    budget: usize,
}

impl Tensors<'_> {
    /// Adds the tensors of an object. `Err` is what does not fit.
    fn visit(&mut self, id: Id, name: &str, depth: usize) -> Result<(), String> {
        let depth = depth.checked_sub(1).ok_or("more levels")?;
        self.budget = self.budget.checked_sub(name.len() + 1).ok_or("containers that are shared many times")?;
        let heap = self.heap;
        let inner = |key: &str| if name.is_empty() { key.to_string() } else { format!("{name}.{key}") };
        match &heap.objects[id] {
            Object::Tensor(tensor) => {
                if self.named.insert(name.into(), tensor.clone()).is_some() {
                    return Err(format!("two tensors named {name:?}"));
                }
            }
            Object::Sequence(items) => {
                for (k, &item) in items.iter().enumerate() {
                    self.visit(item, &inner(&k.to_string()), depth)?;
                }
            }
            Object::Dictionary(entries) => {
                for &(key, value) in entries {
                    let name = match &heap.objects[key] {
                        Object::Text(key) => inner(key),
                        Object::Integer(key) => inner(&key.to_string()),
                        _ => return Err("a key that is no name".into()),
                    };
                    self.visit(value, &name, depth)?;
                }
            }
            Object::Other | Object::Integer(_) | Object::Text(_) | Object::Global(_) | Object::Storage(_) => {}
        }
        Ok(())
    }
}
