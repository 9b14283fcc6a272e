//! Parts of data sets, scaling, tables, metrics and early stopping: properties for many random cases, and values by hand.

use rand::{Rng, RngExt};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use wengert::Error;
use wengert::data::csv::{self, Table};
use wengert::data::{Images, MinMax, SampleBatch, Samples, Standardizer, Subset, one_hot};
use wengert::metrics::{ClassScores, ConfusionMatrix, Mean, accuracy, top_k};
use wengert::optim::{EarlyStopping, Status};
use wengert::prelude::*;

/// Samples whose input and target are both their position.
fn numbered(count: usize) -> Samples {
    Samples::new(Tensor::arange(0.0, count as f64, 1.0), Vec::from_iter(0..count))
}

/// The union of disjoint parts; panics if they are not disjoint.
fn union<'a, D: Dataset + 'a>(parts: impl IntoIterator<Item = &'a Subset<'a, D>>) -> BTreeSet<usize> {
    let mut union = BTreeSet::new();
    for index in parts.into_iter().flat_map(|part| part.indices()) {
        assert!(union.insert(*index), "sample {index} is twice there");
    }
    union
}

#[test]
fn parts_of_a_split_are_disjoint_and_cover_everything() {
    let mut rng = wengert::rng(0);
    for _ in 0..200 {
        let count = rng.random_range(0..50);
        let samples = numbered(count);
        let first = rng.random_range(0..=count);
        let (train, validation) = samples.split(first, &mut rng);
        assert_eq!((train.len(), validation.len()), (first, count - first));
        assert_eq!(union([&train, &validation]), BTreeSet::from_iter(0..count));
        let fraction = rng.random_range(0.0..=1.0);
        let (train, _) = samples.split(fraction, &mut rng);
        assert_eq!(train.len(), (fraction * count as f64).round() as usize);
    }
}

#[test]
fn folds_validate_each_sample_once() {
    let mut rng = wengert::rng(1);
    for _ in 0..200 {
        let count = rng.random_range(2..40);
        let (samples, k) = (numbered(count), rng.random_range(2..=count));
        let folds = samples.k_fold(k, &mut rng);
        assert_eq!(folds.len(), k);
        let folds = Vec::from_iter(folds);
        let all = BTreeSet::from_iter(0..count);
        assert_eq!(union(folds.iter().map(|(_, validation)| validation)), all);
        for (train, validation) in &folds {
            assert_eq!(union([train, validation]), all);
            assert!((count / k..=count.div_ceil(k)).contains(&validation.len()));
        }
    }
}

#[test]
fn splits_follow_the_seed() {
    let samples = numbered(100);
    let split = |seed| samples.split(0.5, &mut wengert::rng(seed)).0.indices().to_vec();
    let fold = |seed| samples.k_fold(3, &mut wengert::rng(seed)).next().unwrap().1.indices().to_vec();
    assert_eq!((split(7), fold(7)), (split(7), fold(7)));
    assert!(split(7) != split(8) && fold(7) != fold(8));
    assert!(!split(7).is_sorted());
}

#[test]
fn a_subset_gathers_its_samples_and_subsets_nest() {
    let samples = numbered(20);
    let even = samples.subset((0..20).step_by(2));
    let some = even.subset([3, 0, 3]);
    assert_eq!(some.all().targets, [6, 0, 6]);
    assert_eq!(some.all().inputs, tensor![6.0, 0.0, 6.0]);
    let mut rng = wengert::rng(0);
    let mut seen = Vec::from_iter(even.batches(3).shuffled(&mut rng).flat_map(|batch| batch.targets));
    assert!(!seen.is_sorted());
    seen.sort();
    assert_eq!(seen, Vec::from_iter((0..20).step_by(2)));
    let images = Images::new(vec![0, 255, 0, 255], vec![4, 5], [1, 2]);
    assert_eq!(images.subset([1]).all().labels, [5]);
}

#[test]
fn one_interface_serves_single_samples_batches_and_the_whole_set() {
    let samples = Samples::new(Tensor::<f32>::arange(0.0, 24.0, 1.0).reshape([4, 3, 2]), vec![0, 1, 2, 3]);
    let shapes = |size| Vec::from_iter(samples.batches(size).map(|batch| batch.inputs.shape().to_vec()));
    assert_eq!(shapes(1), vec![vec![1, 3, 2]; 4]);
    assert_eq!(shapes(3), [[3, 3, 2], [1, 3, 2]]);
    assert_eq!(samples.batches(3).drop_last().count(), 1);
    assert_eq!(shapes(9), [[4, 3, 2]]);
    let whole: SampleBatch = samples.all();
    assert_eq!(whole.inputs.as_slice().as_ptr(), samples.inputs().as_slice().as_ptr(), "the whole set is not copied");
    assert_eq!((&whole.inputs, &whole.targets), (samples.inputs(), samples.targets()));
    let empty = Samples::new(Tensor::<f32>::zeros([0, 3]), vec![0; 0]);
    assert!(empty.is_empty() && empty.batches(2).next().is_none());
}

/// Mean and standard deviation of each column, in plain loops.
fn moments(samples: &Tensor<f64>) -> Vec<(f64, f64)> {
    let (count, width) = (samples.shape()[0], samples.shape()[1]);
    let column = |k: usize| (0..count).map(move |row| samples[[row, k]]);
    let mean = |k| column(k).sum::<f64>() / count as f64;
    let variance = |k| column(k).map(|x| (x - mean(k)).powi(2)).sum::<f64>() / count as f64;
    (0..width).map(|k| (mean(k), variance(k).sqrt())).collect()
}

#[test]
fn standardized_features_have_mean_0_and_deviation_1() {
    let mut rng = wengert::rng(2);
    for _ in 0..50 {
        let (count, width) = (rng.random_range(2..60), rng.random_range(1..5));
        let (scale, shift) = (10f64.powi(rng.random_range(-3..4)), rng.random_range(-1000.0..1000.0));
        let samples: Tensor<f64> = Tensor::randn([count, width], &mut rng) * scale + shift;
        let standardizer = Standardizer::fit(&samples);
        let standard = standardizer.apply(&samples);
        for (mean, std) in moments(&standard) {
            assert!(mean.abs() < 1e-8 && (std - 1.0).abs() < 1e-8, "mean {mean}, deviation {std}");
        }
        let error = (standardizer.invert(&standard) - &samples).map(f64::abs).max().item();
        assert!(error < 1e-11 * (scale + shift.abs()), "{error}");
    }
}

#[test]
fn scales_keep_their_precision_and_accept_what_never_changes() {
    // In single precision, and a mean of 10⁶ would leave nothing of these differences.
    let samples = tensor![[1e6, 0.1], [1000000.125, 0.1], [1000000.25, 0.1]];
    let standard = Standardizer::fit(&samples).apply(&samples);
    let expected = 1.5f32.sqrt();
    assert_eq!(standard, tensor![[-expected, 0.0], [0.0, 0.0], [expected, 0.0]]);
    assert_eq!(Standardizer::fit(&samples).invert(&standard), samples);
    let constant = Tensor::<f64>::full([1000, 1], 0.1);
    let standardizer = Standardizer::fit(&constant);
    assert_eq!(standardizer.std(), [1.0]);
    assert!(standardizer.apply(&constant).map(f64::abs).max().item() < 1e-12);
    assert_eq!(MinMax::fit(&samples).apply(&samples), tensor![[0.0, 0.0], [0.5, 0.0], [1.0, 0.0]]);
    // Samples of any shape; one sample; no features.
    let images: Tensor = Tensor::randn([5, 2, 3], &mut wengert::rng(0));
    assert_eq!(Standardizer::fit(&images).apply(&images).shape(), [5, 2, 3]);
    assert_eq!(Standardizer::fit(&tensor![3.0]).apply(&tensor![3.0, 5.0]), tensor![0.0, 2.0]);
    assert_eq!(MinMax::fit(&Tensor::<f32>::zeros([2, 0])).apply(&Tensor::<f32>::zeros([4, 0])).shape(), [4, 0]);
    assert_eq!(one_hot(&[0usize; 0], 3).shape(), [0, 3]);
}

/// A file for one test, gone at its end.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.csv"));
        fs::write(&path, content).unwrap();
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

/// The message without the directory.
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

/// Every way to look at a table, whatever it holds.
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
        fs::write(&file.0, &bytes).unwrap();
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
fn accuracy_and_top_k_by_hand() {
    let scores = tensor![[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.4, 0.4, 0.2]];
    // The last row is a tie, of which the first counts.
    assert_eq!(accuracy(&scores, &[1, 0, 2, 0]), 1.0);
    assert_eq!(accuracy(&scores, &[1, 0, 2, 1]), 0.75);
    assert_eq!([1, 2, 3, 9].map(|k| top_k(&scores, &[2, 2, 1, 1], k)), [0.0, 0.5, 1.0, 1.0]);
    assert_eq!(top_k(&scores, &[1, 0, 2, 1], 0), 0.0);
    assert_eq!(accuracy(&tensor![0.1, 0.9], &[1]), 1.0);
    assert_eq!(accuracy(&Tensor::<f64>::zeros([0, 3]), &[0usize; 0]), 0.0);
    // Maps of scores: the classes are axis 1, and labels follow the other axes.
    let maps = tensor![[[0.0, 1.0, 2.0], [1.0, 0.0, 3.0]]];
    assert_eq!(accuracy(&maps, &[1, 0, 0]), 2.0 / 3.0);
}

#[test]
fn the_best_is_that_of_argmax() {
    let mut rng = wengert::rng(4);
    for _ in 0..200 {
        // Few values, so that there are ties.
        let value = |rng: &mut dyn Rng| [f32::NAN, -0.0, 0.0, 1.0, f32::INFINITY][rng.random_range(0..5)];
        let scores = Tensor::from_vec((0..24).map(|_| value(&mut rng)).collect(), [6, 4]);
        let labels = Vec::from_iter((0..6).map(|_| rng.random_range(0..4)));
        let hits = scores.argmax(1).iter().zip(&labels).filter(|(best, label)| best == label).count();
        assert_eq!(accuracy(&scores, &labels), hits as f64 / 6.0, "{scores} {labels:?}");
        let shares = [1, 2, 3, 4].map(|k| top_k(&scores, &labels, k));
        assert!(shares.is_sorted() && shares[3] == 1.0, "{scores} {labels:?}: {shares:?}");
    }
}

fn assert_close(found: ClassScores, [precision, recall, f1]: [f64; 3], samples: u64) {
    let errors = [found.precision - precision, found.recall - recall, found.f1 - f1];
    assert!(errors.iter().all(|error| error.abs() < 1e-12) && found.samples == samples, "{found:?}");
}

/// The example of scikit-learn's documentation of `classification_report`.
fn three_classes() -> ConfusionMatrix {
    let mut matrix = ConfusionMatrix::named(["class 0", "class 1", "class 2"]);
    matrix.add_predictions(&[0, 0], &[0, 1]);
    matrix.add(&tensor![[0.0, 0.1, 0.9], [0.0, 0.1, 0.9], [0.4, 0.5, 0.1]], &[2, 2, 2]);
    matrix
}

#[test]
fn a_confusion_matrix_by_hand() {
    let matrix = three_classes();
    assert_eq!((matrix.count(1, 0), matrix.count(0, 1), matrix.total()), (1, 0, 5));
    assert_close(matrix.class(0), [0.5, 1.0, 2.0 / 3.0], 1);
    assert_close(matrix.class(1), [0.0, 0.0, 0.0], 1);
    assert_close(matrix.class(2), [1.0, 2.0 / 3.0, 0.8], 3);
    assert_close(matrix.macro_average(), [0.5, 5.0 / 9.0, 22.0 / 45.0], 5);
    assert_close(matrix.weighted_average(), [0.7, 0.6, (2.0 / 3.0 + 2.4) / 5.0], 5);
    assert_eq!(matrix.accuracy(), 0.6);
    let empty = ConfusionMatrix::new(2);
    assert_close(empty.class(0), [0.0; 3], 0);
    assert_close(empty.weighted_average(), [0.0; 3], 0);
    assert_eq!(empty.accuracy(), 0.0);
}

#[test]
fn a_matrix_of_batches_is_that_of_all_samples() {
    let mut rng = wengert::rng(5);
    let scores: Tensor = Tensor::randn([60, 4], &mut rng);
    let samples = Samples::new(scores, Vec::from_iter((0..60).map(|_| rng.random_range(0..4))));
    let (mut whole, mut parts) = (ConfusionMatrix::new(4), ConfusionMatrix::new(4));
    whole.add(samples.inputs(), samples.targets());
    samples.batches(7).shuffled(&mut rng).for_each(|batch| parts.add(&batch.inputs, &batch.targets));
    assert_eq!(whole, parts);
    assert_eq!(whole.accuracy(), accuracy(samples.inputs(), samples.targets()));
    assert!((whole.weighted_average().recall - whole.accuracy()).abs() < 1e-12);
}

#[test]
fn confusion_matrices_print_as_tables() {
    let mut digits = ConfusionMatrix::new(10);
    for (label, count) in (0..10).zip([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]) {
        digits.add_predictions(&vec![label; count - 7], &vec![label; count - 7]);
        digits.add_predictions(&[(label + 3) % 10; 7], &[label; 7]);
    }
    let none = ConfusionMatrix::named([""; 0]);
    insta::assert_snapshot!(format!("{}\n{digits:.2}\n{none}", three_classes()));
}

#[test]
fn a_running_mean_is_sound() {
    let mean = |values: &[f64]| {
        let mut mean = Mean::new();
        values.iter().for_each(|&value| mean.add(value));
        mean.value()
    };
    assert_eq!(mean(&[1e16, 1.0, -1e16, 1.0]), 0.5);
    assert_eq!(mean(&[f64::INFINITY, 1.0]), f64::INFINITY);
    assert!(mean(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan() && mean(&[1.0, f64::NAN, 1.0]).is_nan());
    assert!(mean(&[]).is_nan());
    assert!((mean(&[0.1; 10_000_000]) - 0.1).abs() < 1e-16);
    let mut weighted = Mean::new();
    weighted.add_weighted(2.0f32, 3.0);
    weighted.add_weighted(f64::NAN, 0.0);
    weighted.add(6.0f32);
    assert_eq!((weighted.value(), weighted.weight()), (3.0, 4.0));
    assert_eq!(format!("{weighted:.2}"), "3.00");
}

/// The verdicts on metrics, by their first letters.
fn verdicts(mut stopping: EarlyStopping, metrics: &[f64]) -> (String, Option<usize>) {
    let letter = |metric: &f64| match stopping.update(*metric) {
        Status::Improved => 'I',
        Status::Continue => 'C',
        Status::Stop => 'S',
    };
    (metrics.iter().map(letter).collect(), stopping.best_epoch())
}

#[test]
fn training_stops_when_patience_ends() {
    let nan = f64::NAN;
    let stopping = || EarlyStopping::new(2);
    assert_eq!(verdicts(stopping(), &[3.0, 2.0, 2.0, 1.0, 1.5, 1.0]), ("IICICS".into(), Some(3)));
    assert_eq!(verdicts(stopping().maximize(), &[1.0, 2.0, 2.0, 1.5]), ("IICS".into(), Some(1)));
    assert_eq!(verdicts(stopping().maximize().minimize(), &[2.0, 1.0]), ("II".into(), Some(1)));
    assert_eq!(verdicts(stopping().min_delta(0.5), &[3.0, 2.5, 2.4, 2.0, 1.9]), ("ICICS".into(), Some(2)));
    assert_eq!(verdicts(stopping(), &[nan, 1.0, nan, nan]), ("CICS".into(), Some(1)));
    assert_eq!(verdicts(stopping(), &[nan, nan, nan]), ("CSS".into(), None));
    assert_eq!(verdicts(stopping(), &[f64::INFINITY, f64::NEG_INFINITY, -1.0]), ("CIC".into(), Some(1)));
    for patience in [0, 1] {
        assert_eq!(verdicts(EarlyStopping::new(patience), &[1.0, 0.5, 0.5]), ("IIS".into(), Some(1)));
    }
}
