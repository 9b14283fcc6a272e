//! Colors and font of all figures.

use plotters::style::RGBColor;

/// The color-blind safe palette of Okabe and Ito (2008), with the yellow darkened.
pub const COLORS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(150, 130, 0),
];

/// Font of all text.
pub const FONT: &str = "sans-serif";
