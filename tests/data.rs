//! Data sets and batches, and the reader of IDX files: on MNIST, and on files that are broken in every way.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::error::Error as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wengert::Error;
use wengert::data::{Images, idx, mnist};
use wengert::prelude::*;

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist");

thread_local! {
    /// The largest block that this thread asked for.
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, watched.
struct Watched;

// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(layout.size()));
        // SAFETY: the caller keeps the contract of this method, which is that of the system allocator.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of this method, which is that of the system allocator.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// An empty directory for one test, gone at its end.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes four small files in the form of MNIST.
    fn write_mnist(&self) {
        for part in ["train", "t10k"] {
            self.write(&format!("{part}-images-idx3-ubyte"), &idx_file(&[2, 28, 28], &[9; 2 * 784]));
            self.write(&format!("{part}-labels-idx1-ubyte"), &idx_file(&[2], &[1, 9]));
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn idx_file(shape: &[u32], elements: &[u8]) -> Vec<u8> {
    let sizes = shape.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, shape.len() as u8].into_iter().chain(sizes).chain(elements.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The message for a file with these bytes, after its path.
fn message(directory: &Directory, bytes: &[u8]) -> String {
    let path = directory.write("broken", bytes);
    after_path(&idx::read(&path).expect_err("a broken file was accepted"), &path)
}

fn after_path(error: &Error, path: &Path) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text.strip_prefix(&format!("{path:?}: ")).unwrap_or_else(|| panic!("{text} is not about {path:?}")).into()
}

#[test]
fn mnist_is_what_it_should_be() {
    let (train, test) = mnist::load(MNIST).unwrap();
    assert_eq!((train.len(), test.len()), (60_000, 10_000));
    assert_eq!((train.image_shape(), test.image_shape()), (&[28, 28][..], &[28, 28][..]));
    let histogram = |set: &Images| {
        let mut counts = [0; 10];
        set.labels().iter().for_each(|&label| counts[label] += 1);
        counts
    };
    assert_eq!(histogram(&train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(histogram(&test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);

    let (mut sum, mut squares) = (0.0, 0.0);
    for batch in train.batches(1000) {
        for &pixel in batch.images.as_slice() {
            sum += f64::from(pixel);
            squares += f64::from(pixel) * f64::from(pixel);
        }
    }
    let count = 60_000.0 * 784.0;
    let mean = sum / count;
    let std = (squares / count - mean * mean).sqrt();
    assert!((mean - 0.1307).abs() < 5e-5 && (std - 0.3081).abs() < 5e-5, "mean {mean}, std {std}");
}

#[test]
fn pixels_are_converted_as_documented() {
    let images = Images::new((0..=255).collect(), vec![0], [16, 16]);
    let expected: Vec<f32> = (0..=255u8).map(|pixel| f32::from(pixel) / 255.0).collect();
    assert_eq!(images.all().images.as_slice(), expected);
    let normalised = images.normalize(0.1307, 0.3081).all().images;
    for (pixel, &value) in normalised.as_slice().iter().enumerate() {
        assert_eq!(value, ((pixel as f64 / 255.0 - 0.1307) / 0.3081) as f32);
    }
}

/// Images of one pixel, which is the number of the image and its label.
fn numbered(count: u8) -> Images {
    Images::new((0..count).collect(), (0..usize::from(count)).collect(), [1, 1])
}

#[test]
fn batches_hold_every_sample_once() {
    let images = numbered(10);
    let labels = |size: usize| images.batches(size).map(|batch| batch.labels).collect::<Vec<_>>();
    assert_eq!(labels(4), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
    assert_eq!(labels(usize::MAX), [Vec::from_iter(0..10)]);

    for batch in images.batches(3).shuffled(&mut wengert::rng(1)) {
        assert_eq!(batch.images.shape(), [batch.labels.len(), 1]);
        let pixels = batch.images.as_slice().iter().map(|&pixel| (pixel * 255.0).round() as usize);
        assert_eq!(pixels.collect::<Vec<_>>(), batch.labels);
    }
    let mut shuffled =
        images.batches(3).shuffled(&mut wengert::rng(1)).flat_map(|batch| batch.labels).collect::<Vec<_>>();
    assert_ne!(shuffled, images.labels());
    shuffled.sort();
    assert_eq!(shuffled, images.labels());
}

#[test]
fn the_same_seed_gives_the_same_order() {
    let images = numbered(100);
    let order =
        |seed| images.batches(7).shuffled(&mut wengert::rng(seed)).flat_map(|batch| batch.labels).collect::<Vec<_>>();
    assert_eq!(order(3), order(3));
    assert_ne!(order(3), order(4));
    // One generator goes on from epoch to epoch.
    let mut rng = wengert::rng(3);
    let epochs =
        [0; 2].map(|_| images.batches(7).shuffled(&mut rng).flat_map(|batch| batch.labels).collect::<Vec<_>>());
    assert_eq!(epochs[0], order(3));
    assert_ne!(epochs[0], epochs[1]);
    // The order of a seed stays what it is.
    let few = numbered(8);
    let labels: Vec<usize> = few.batches(8).shuffled(&mut wengert::rng(0)).flat_map(|batch| batch.labels).collect();
    assert_eq!(labels, [3, 0, 5, 4, 6, 1, 2, 7]);
}

/// Batches that say which samples they are of; making one that has the sample 13 fails if so asked.
struct Indices {
    unlucky: bool,
}

impl Dataset for Indices {
    type Batch = Vec<usize>;

    fn len(&self) -> usize {
        50
    }
    fn batch(&self, indices: &[usize]) -> Vec<usize> {
        assert!(!self.unlucky || !indices.contains(&13), "bad luck");
        indices.to_vec()
    }
}

#[test]
fn prefetched_batches_are_the_same_in_the_same_order() {
    let data = Indices { unlucky: false };
    let batches = || data.batches(8).shuffled(&mut wengert::rng(3));
    for count in 0..9 {
        assert_eq!(batches().prefetch(count, Vec::from_iter), Vec::from_iter(batches()));
    }
    // Work may end early, and what goes wrong on the thread comes to light.
    assert_eq!(batches().prefetch(2, |mut batches| batches.next()), batches().next());
    let failed = std::panic::catch_unwind(|| Indices { unlucky: true }.batches(8).prefetch(2, Iterator::count));
    assert_eq!(failed.unwrap_err().downcast_ref(), Some(&"bad luck"));
}

#[test]
fn batches_know_how_many_are_left() {
    let images = numbered(10);
    let check = |batches: wengert::data::Batches<Images>, expected: usize| {
        let mut batches = batches;
        for left in (0..=expected).rev() {
            assert_eq!(batches.len(), left);
            assert_eq!(batches.next().is_some(), left > 0);
        }
        assert!(batches.next().is_none());
    };
    for size in [1, 2, 3, 5, 9, 10, 11] {
        check(images.batches(size), 10usize.div_ceil(size));
        check(images.batches(size).drop_last(), 10 / size);
        check(images.batches(size).drop_last().shuffled(&mut wengert::rng(0)), 10 / size);
    }
    let none = numbered(0);
    assert!(none.is_empty() && none.batches(3).next().is_none());
}

#[test]
fn a_limit_keeps_the_first_samples() {
    assert_eq!(numbered(10).take(3).all().labels, [0, 1, 2]);
    assert_eq!(numbered(10).take(3).all().images.shape(), [3, 1]);
    assert_eq!(numbered(10).take(usize::MAX).len(), 10);
}

#[test]
#[should_panic(expected = "batches: a batch needs at least one sample")]
fn a_batch_has_samples() {
    let _ = numbered(10).batches(0);
}

#[test]
#[should_panic(expected = "Images: [3] has 3 elements, which do not fill the shape [2, 2, 1]")]
fn pixels_fill_the_images() {
    let _ = Images::new(vec![0; 3], vec![0; 2], [2, 1]);
}

#[test]
fn files_are_recognised_by_their_content() {
    let directory = Directory::new("files_are_recognised_by_their_content");
    let content = idx_file(&[2, 3], &[1, 2, 3, 4, 5, 6]);
    let halves = [gzip(&content[..7]), gzip(&content[7..])].concat();
    for (name, bytes) in [("raw.gz", content.clone()), ("compressed", gzip(&content)), ("members", halves)] {
        let idx = idx::read(directory.write(name, &bytes)).unwrap();
        assert_eq!((idx.shape, idx.elements), (vec![2, 3], vec![1, 2, 3, 4, 5, 6]));
    }
}

#[test]
fn messages_say_what_is_wrong() {
    let directory = Directory::new("messages_say_what_is_wrong");
    let good = idx_file(&[2, 2], &[1, 2, 3, 4]);
    let with = |position: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[position] = byte;
        bytes
    };
    let cases = [
        (vec![], "magic number at byte 0: expected 4 bytes, found the end of the file after 0"),
        (with(0, 1), "magic number at byte 0: expected two zeros, found 01 00"),
        (with(2, 0x0d), "element type at byte 2: expected 08 (unsigned bytes), found 0d"),
        (good[..9].to_vec(), "dimensions at byte 4: expected 8 bytes, found the end of the file after 5"),
        (
            good[..15].to_vec(),
            "elements of shape [2, 2] at byte 12: expected 4 bytes, found the end of the file after 3",
        ),
        ([&good[..], b"x"].concat(), "end of the data at byte 16: expected the end of the file, found more bytes"),
        (
            gzip(&[&good[..], b"x"].concat()),
            "end of the data at byte 16: expected the end of the file, found more bytes",
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(message(&directory, &bytes), expected);
    }
    let huge = message(&directory, &idx_file(&[u32::MAX; 5], &[]));
    assert!(
        huge.starts_with("dimensions at byte 4: expected a number of elements that fits in memory, found ["),
        "{huge}"
    );
    let mut altered = gzip(&good);
    let checksum = altered.len() - 8;
    altered[checksum] ^= 1;
    let altered = message(&directory, &altered);
    assert!(altered.starts_with("end of the data at byte 16: expected intact data, found "), "{altered}");
}

#[test]
fn what_is_not_a_file_is_an_error_of_the_system() {
    let directory = Directory::new("what_is_not_a_file_is_an_error_of_the_system");
    for path in [directory.0.clone(), directory.0.join("missing"), PathBuf::new()] {
        let error = idx::read(&path).unwrap_err();
        assert!(matches!(error, Error::Io { .. }) && error.source().is_some());
        assert!(!after_path(&error, &path).is_empty());
    }
}

#[test]
fn memory_is_bounded_by_what_the_file_holds() {
    let directory = Directory::new("memory_is_bounded_by_what_the_file_holds");
    let claims = idx_file(&[65_535, 65_535], &[1, 2, 3]);
    let bomb = gzip(&idx_file(&[10], &vec![0; 64 << 20]));
    for bytes in [gzip(&claims), claims, bomb] {
        let path = directory.write("broken", &bytes);
        LARGEST.set(0);
        idx::read(&path).unwrap_err();
        assert!(LARGEST.get() < 1 << 20, "{} bytes at once", LARGEST.get());
    }
}

#[test]
fn a_truncated_file_is_refused_at_every_length() {
    let directory = Directory::new("a_truncated_file_is_refused_at_every_length");
    let elements: Vec<u8> = (0..60).collect();
    let raw = idx_file(&[5, 4, 3], &elements);
    for bytes in [gzip(&raw), raw] {
        for length in 0..bytes.len() {
            message(&directory, &bytes[..length]);
        }
    }
}

#[test]
fn a_changed_byte_is_never_a_panic() {
    let directory = Directory::new("a_changed_byte_is_never_a_panic");
    let mut rng = wengert::rng(7);
    let elements: Vec<u8> = (0..60).collect();
    let raw = idx_file(&[5, 4, 3], &elements);
    let compressed = gzip(&raw);
    for _ in 0..2000 {
        let is_raw = rng.next_u32().is_multiple_of(2);
        let mut bytes = if is_raw { raw.clone() } else { compressed.clone() };
        let position = rng.next_u32() as usize % bytes.len();
        bytes[position] ^= (rng.next_u32() % 255 + 1) as u8;
        let started = Instant::now();
        if let Ok(idx) = idx::read(directory.write("changed", &bytes)) {
            // What a checksum protects is read as it was or not at all. The name and time before it do not matter.
            assert!(is_raw || idx.elements == elements, "byte {position} of the compressed file");
            assert_eq!(idx.shape.iter().product::<usize>(), idx.elements.len());
        }
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn mnist_files_may_be_compressed_or_not() {
    let directory = Directory::new("mnist_files_may_be_compressed_or_not");
    directory.write_mnist();
    let labels = gzip(&fs::read(directory.0.join("t10k-labels-idx1-ubyte")).unwrap());
    fs::remove_file(directory.0.join("t10k-labels-idx1-ubyte")).unwrap();
    directory.write("t10k-labels-idx1-ubyte.gz", &labels);
    let (train, test) = mnist::load(&directory.0).unwrap();
    assert_eq!((train.labels(), test.labels()), (&[1, 9][..], &[1, 9][..]));
}

#[test]
fn mnist_files_must_fit_together() {
    let directory = Directory::new("mnist_files_must_fit_together");
    let [images, labels] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
    let cases = [
        (
            images,
            idx_file(&[2, 28, 27], &[0; 2 * 28 * 27]),
            "dimensions at byte 4: expected [n, 28, 28], found [2, 28, 27]",
        ),
        (images, idx_file(&[2, 784], &[0; 2 * 784]), "dimensions at byte 4: expected [n, 28, 28], found [2, 784]"),
        (images, idx_file(&[0, 28, 28], &[]), "dimensions at byte 4: expected [n, 28, 28], found [0, 28, 28]"),
        (labels, idx_file(&[3], &[0; 3]), "dimensions at byte 4: expected [2], one label per image, found [3]"),
        (labels, idx_file(&[2], &[9, 10]), "label at byte 9: expected 0 to 9, found 10"),
    ];
    for (name, bytes, expected) in cases {
        directory.write_mnist();
        let path = directory.write(name, &bytes);
        assert_eq!(after_path(&mnist::load(&directory.0).unwrap_err(), &path), expected);
    }
    directory.write_mnist();
    fs::remove_file(directory.0.join(labels)).unwrap();
    let expected = "found neither t10k-labels-idx1-ubyte.gz nor t10k-labels-idx1-ubyte";
    assert_eq!(after_path(&mnist::load(&directory.0).unwrap_err(), &directory.0), expected);
}
