//! What the programs of all engines share: the data, the clock, and the line that they print.

use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Images as numbers from 0 to 1, one after the other, and their classes.
pub struct Mnist {
    pub images: Vec<f32>,
    pub labels: Vec<u8>,
}

impl Mnist {
    /// Reads `train` or `t10k` from raw IDX files, of each image some of its pixels. They are converted while they are read:
    /// there is no second copy.
    pub fn load(directory: &str, set: &str, pixels: Range<usize>) -> Self {
        let open = |kind: &str| {
            let path = format!("{directory}/{set}-{kind}-ubyte");
            BufReader::new(File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
        };
        let (mut labels, mut header, mut image) = (Vec::new(), [0; 16], [0; 784]);
        open("labels-idx1").read_to_end(&mut labels).expect("labels");
        labels.drain(..8);
        let mut file = open("images-idx3");
        file.read_exact(&mut header).expect("a header");
        let mut images = Vec::with_capacity(labels.len() * pixels.len());
        for _ in &labels {
            file.read_exact(&mut image).expect("an image");
            images.extend(image[pixels.clone()].iter().map(|&pixel| f32::from(pixel) / 255.0));
        }
        Mnist { images, labels }
    }
}

/// The command line: `WORKLOAD THREADS SECONDS WINDOWS DIRECTORY`.
pub struct Arguments {
    pub workload: String,
    pub seconds: f64,
    pub windows: usize,
    pub directory: String,
}

impl Arguments {
    pub fn read() -> Self {
        let all: Vec<String> = std::env::args().skip(1).collect();
        let [workload, _, seconds, windows, directory] =
            all.try_into().expect("WORKLOAD THREADS SECONDS WINDOWS DIRECTORY");
        Arguments {
            workload,
            seconds: seconds.parse().expect("SECONDS is a number"),
            windows: windows.parse().expect("WINDOWS is a number"),
            directory,
        }
    }

    /// Width, batch and depth of `mlp:WIDTH:BATCH:DEPTH`.
    pub fn sizes(&self) -> Option<[usize; 3]> {
        let sizes = self.workload.strip_prefix("mlp:")?.split(':');
        sizes.map(|size| size.parse().expect("a number")).collect::<Vec<usize>>().try_into().ok()
    }

    /// Images to train on; numbers of no meaning for a network of any size.
    pub fn train(&self) -> Mnist {
        if let Some([width, batch, _]) = self.sizes() {
            let number = |k: usize| (k.wrapping_mul(0x9E37_79B9) >> 8 & 0xFFFF) as f32 / 65536.0;
            let labels = (0..64 * batch).map(|row| (row * 7 % width.min(256)) as u8).collect();
            return Mnist { images: (0..64 * batch * width).map(number).collect(), labels };
        }
        Mnist::load(&self.directory, "train", if self.workload.starts_with("w7") { 300..332 } else { 0..784 })
    }

    pub fn test(&self) -> Mnist {
        Mnist::load(&self.directory, "t10k", 0..784)
    }

    /// Samples in a batch.
    pub fn batch(&self) -> usize {
        if let Some([_, batch, _]) = self.sizes() {
            return batch;
        }
        match self.workload.as_str() {
            "w1" => 100,
            "w4" => 256,
            "w5" => 64,
            "w7b1" => 1,
            "w7b32" => 32,
            _ => 128,
        }
    }

    /// Warms up, then times windows. `step(k)` is one training step on batch k, `loss()` waits for it and returns its loss.
    pub fn measure(&self, mut step: impl FnMut(usize), mut loss: impl FnMut() -> f64) {
        let mut done = 0;
        let mut window = || {
            let (start, first) = (Instant::now(), done);
            while start.elapsed() < Duration::from_secs_f64(self.seconds) || done < first + 2 {
                step(done);
                done += 1;
            }
            let loss = loss();
            ((done - first) as f64 / start.elapsed().as_secs_f64(), loss)
        };
        let (_, first) = window();
        let (rates, losses): (Vec<f64>, Vec<f64>) = (0..self.windows).map(|_| window()).unzip();
        let last = losses.last().copied().unwrap_or(first);
        println!("{{\"rates\": {rates:?}, \"losses\": [{first}, {last}], \"resident\": {}}}", resident());
    }
}

/// Prints what a whole training came to.
pub fn report(accuracy: f64) {
    println!("{{\"accuracy\": {accuracy}, \"resident\": {}}}", resident());
}

/// The most memory that was resident at one time, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("it has the line");
    line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok()).expect("a number") / 1024.0
}

/// The orders in which five epochs go through the samples.
pub fn epochs(samples: usize) -> impl Iterator<Item = Vec<u32>> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..5).map(move |_| {
        let mut order: Vec<u32> = (0..samples as u32).collect();
        for k in (1..samples).rev() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            order.swap(k, (state % (k as u64 + 1)) as usize);
        }
        order
    })
}

/// Runs a program on a large stack: some engines walk a graph of ten thousand operations by recursion.
pub fn on_a_large_stack(program: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(1 << 30).spawn(program).expect("a thread").join().expect("no panic");
}
