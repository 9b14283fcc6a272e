#![no_main]
wengert_fuzz::target!("npz");
