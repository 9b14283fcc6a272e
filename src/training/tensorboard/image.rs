//! Images as PNG.

use crate::panics;
use crate::tensor::{Float, Tensor};
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use std::io::Write;

/// The shapes of an image, for messages.
const SHAPES: &str = "[height, width] or [1, height, width] for gray, [3, height, width] for color";

/// An image of bytes.
pub(super) struct Image {
    pub(super) height: usize,
    pub(super) width: usize,
    /// 1 for gray values, 3 for red, green and blue.
    pub(super) channels: usize,
    /// Rows of pixels of channels.
    bytes: Vec<u8>,
}

impl Image {
    /// An image from values in [0, 1]: `[H, W]`, `[1, H, W]` or `[3, H, W]`.
    #[track_caller]
    pub(super) fn of<T: Float>(op: &str, values: &Tensor<T>) -> Self {
        let (channels, height, width) = match *values.shape() {
            [height, width] => (1, height, width),
            [channels @ (1 | 3), height, width] => (channels, height, width),
            _ => panics::image_shape(op, values.shape(), SHAPES),
        };
        if values.is_empty() {
            panics::image_shape(op, values.shape(), SHAPES);
        }
        let pixels = values.reshape([channels, height * width]).transpose(0, 1);
        // A NaN becomes 0.
        let bytes = pixels.iter().map(|x| (x.to_f64().clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        Image { height, width, channels, bytes }
    }

    pub(super) fn png(&self) -> Vec<u8> {
        let mut rows = ZlibEncoder::new(Vec::new(), Compression::default());
        for row in self.bytes.chunks(self.width * self.channels) {
            // Each row begins with its filter: none.
            rows.write_all(&[0]).and_then(|()| rows.write_all(row)).expect("a vector takes everything");
        }
        let rows = rows.finish().expect("a vector takes everything");
        let color = if self.channels == 1 { 0 } else { 2 };
        let [width, height] = [self.width, self.height].map(|size| (size as u32).to_be_bytes());
        let header = [&width[..], &height, &[8, color, 0, 0, 0]].concat();
        let chunks = [chunk(b"IHDR", &header), chunk(b"IDAT", &rows), chunk(b"IEND", &[])];
        [&b"\x89PNG\r\n\x1a\n"[..], &chunks.concat()].concat()
    }
}

/// A part of the file with its length and checksum.
fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut checksum = Crc::new();
    checksum.update(kind);
    checksum.update(content);
    [&(content.len() as u32).to_be_bytes()[..], kind, content, &checksum.sum().to_be_bytes()].concat()
}
