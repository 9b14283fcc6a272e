#![no_main]
wengert_fuzz::target!("npy_rows");
