//! Derivatives by differences, and checks of derivatives against them.
