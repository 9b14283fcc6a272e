#![no_main]
wengert_fuzz::target!("byte_pair");
