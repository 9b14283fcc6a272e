//! A server of predictions: HTTP on one thread, predictions on a second, learning on a third.

pub mod classifier;
pub mod clients;
mod http;
mod models;

pub use http::{Server, Stop};
pub use models::Models;
