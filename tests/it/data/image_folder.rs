//! Images in folders of classes.

use crate::support::files::{directory, message};
use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};
use std::fs;
use wengert::data::ImageFolder;
use wengert::prelude::*;

#[test]
fn images_are_read_in_the_order_of_their_names() {
    let directory = directory();
    let root = directory.path();
    for (class, names) in [("b", ["2.png", "10.PNG"]), ("a", ["x.jpg", "y.jpeg"])] {
        fs::create_dir(root.join(class)).unwrap();
        for (k, name) in names.into_iter().enumerate() {
            let color = if class == "b" { [10 * k as u8, 100, 200] } else { [50, 50, 50] };
            RgbImage::from_pixel(4, 3, Rgb(color)).save(root.join(class).join(name)).unwrap();
        }
    }
    fs::write(root.join("a/notes.txt"), "left out").unwrap();
    fs::write(root.join("readme.md"), "left out").unwrap();
    let folder = ImageFolder::open(root, [3, 3, 4]).unwrap();
    assert_eq!((folder.classes(), folder.labels()), (&["a".to_string(), "b".into()][..], vec![0, 0, 1, 1]));
    assert!(folder.path(2).ends_with("b/10.PNG") && folder.path(3).ends_with("b/2.png"));
    let batch = folder.batch(&[3, 1]).unwrap();
    assert_eq!(batch.labels, [1, 0]);
    let plane = |value: u8| std::iter::repeat_n(f32::from(value) / 255.0, 12);
    assert_eq!(batch.images.as_slice()[..36], plane(0).chain(plane(100)).chain(plane(200)).collect::<Vec<_>>());
    assert!(batch.images.as_slice()[36..].iter().all(|x| (x * 255.0 - 50.0).abs() < 3.0), "JPEG is lossy");
    // Another size, in gray, and as bytes in memory.
    let small = ImageFolder::open(root, [1, 2, 2]).unwrap();
    assert_eq!(small.batch(&[0]).unwrap().images.shape(), [1, 4]);
    let memory = small.read().unwrap();
    assert_eq!(memory.all().images, small.all().unwrap().images);
    let normalized = small.clone().normalize_channels(&[0.5], &[0.25]).batch(&[2]).unwrap();
    assert_eq!(normalized.images, memory.normalize(0.5, 0.25).batch(&[2]).images);
}

#[test]
fn errors_name_the_file() {
    let directory = directory();
    let root = directory.path();
    assert!(message(ImageFolder::open(root.join("none"), [1, 2, 2])).contains("No such file"));
    assert_eq!(message(ImageFolder::open(root, [1, 2, 2])), "there are no folders, whose names are the classes");
    fs::create_dir(root.join("cats")).unwrap();
    let error = ImageFolder::open(root, [1, 2, 2]).unwrap_err().to_string();
    assert!(error.ends_with("cats\": there are no .png, .jpg or .jpeg files"), "{error}");
    let path = root.join("cats/1.png");
    DynamicImage::from(GrayImage::from_pixel(64, 64, Luma([7]))).save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let folder = ImageFolder::open(root, [1, 2, 2]).unwrap();
    assert!(folder.all().is_ok());
    // A header that claims 4 G × 4 G pixels is neither believed nor allocated.
    let mut huge = bytes.clone();
    huge[16..24].fill(0xff);
    for damaged in [&bytes[..bytes.len() / 2], b"text", &huge] {
        fs::write(&path, damaged).unwrap();
        let error = folder.all().unwrap_err().to_string();
        assert!(error.contains("cats/1.png\": image at byte 0: expected a PNG or JPEG file, found "), "{error}");
    }
}
