#![no_main]
wengert_fuzz::target!("idx");
