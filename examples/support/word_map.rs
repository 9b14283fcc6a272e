//! Labeled points in the plane.

use crate::support::figure::{Canvas, Outcome};
use crate::support::lines::range;
use crate::support::style::{COLORS, FONT};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// Height of a label, and the width of a character of it, in pixels.
const LABEL: (i32, i32) = (14, 8);
/// Radius of a point.
const RADIUS: i32 = 4;
/// Distances of labels from their points.
const GAPS: [i32; 5] = [RADIUS + 2, RADIUS + 7, RADIUS + 14, RADIUS + 22, RADIUS + 30];

/// A group of points in one color.
pub struct PointGroup {
    pub name: String,
    /// Labels and coordinates.
    pub points: Vec<(String, (f64, f64))>,
}

/// Left, top, right and bottom in pixels.
type Frame = [i32; 4];

/// Draws groups of points below a legend, each point with a label beside it.
pub fn word_map(area: &Canvas, caption: &str, groups: &[PointGroup]) -> Outcome {
    let (legend, below) = area.titled(caption, (FONT, 18))?.split_vertically(30);
    draw_legend(&legend, groups)?;
    let points = || groups.iter().flat_map(|group| &group.points);
    let [x, y] = [range(points().map(|(_, at)| at.0)), range(points().map(|(_, at)| at.1))];
    let below = below.margin(6, 10, 10, 30);
    let (width, height) = below.dim_in_pixel();
    let pixels = |(px, py): (f64, f64)| {
        let along = |value: f64, range: &Range<f64>, size: u32| {
            ((value - range.start) / (range.end - range.start) * f64::from(size)) as i32
        };
        (along(px, &x, width), height as i32 - along(py, &y, height))
    };
    below.draw(&Rectangle::new([(0, 0), (width as i32 - 1, height as i32 - 1)], BLACK.mix(0.3)))?;
    let mut taken: Vec<Frame> =
        points().map(|&(_, at)| pixels(at)).map(|(x, y)| [x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS]).collect();
    for (k, group) in groups.iter().enumerate() {
        let color = COLORS[k % COLORS.len()];
        for (label, at) in &group.points {
            let at = pixels(*at);
            below.draw(&Circle::new(at, RADIUS, color.filled()))?;
            let size = (LABEL.1 * label.chars().count() as i32, LABEL.0);
            let place = Place::find(at, size, (width as i32, height as i32), &taken);
            taken.push(place.frame);
            below.draw(&PathElement::new([at, place.anchor], color.mix(0.4)))?;
            let style = (FONT, 14).into_font().color(&color).pos(Pos::new(place.side, VPos::Center));
            below.draw(&Text::new(label.as_str(), place.anchor, style))?;
        }
    }
    Ok(())
}

/// A place for a label.
struct Place {
    frame: Frame,
    /// The point of the frame's side next to the labeled point, to which the text is aligned.
    anchor: (i32, i32),
    side: HPos,
}

impl Place {
    fn new(anchor: (i32, i32), side: HPos, size: (i32, i32)) -> Self {
        let left = match side {
            HPos::Left => anchor.0,
            HPos::Center => anchor.0 - size.0 / 2,
            HPos::Right => anchor.0 - size.0,
        };
        let top = anchor.1 - size.1 / 2;
        Place { frame: [left, top, left + size.0, top + size.1], anchor, side }
    }

    /// The place near a point that covers the least of what is taken or outside the area, and of those the nearest.
    fn find((x, y): (i32, i32), size: (i32, i32), area: (i32, i32), taken: &[Frame]) -> Self {
        let around = |gap: i32| {
            let (above, below) = (y - gap - size.1 / 2, y + gap + size.1 / 2);
            let beside =
                |y: i32| [Place::new((x + gap, y), HPos::Left, size), Place::new((x - gap, y), HPos::Right, size)];
            let centered = [above, below].map(|y| Place::new((x, y), HPos::Center, size));
            beside(y).into_iter().chain(centered).chain(beside(above)).chain(beside(below))
        };
        let covered = |place: &Place| {
            let inside = overlap(place.frame, [0, 0, area.0, area.1]);
            size.0 * size.1 - inside + taken.iter().map(|&other| overlap(place.frame, other)).sum::<i32>()
        };
        GAPS.into_iter().flat_map(around).min_by_key(covered).expect("there are places")
    }
}

/// The common area of two rectangles.
fn overlap(a: Frame, b: Frame) -> i32 {
    let side = |k: usize| (a[k + 2].min(b[k + 2]) - a[k].max(b[k])).max(0);
    side(0) * side(1)
}

fn draw_legend(area: &Canvas, groups: &[PointGroup]) -> Outcome {
    let mut x = 20;
    for (k, group) in groups.iter().enumerate() {
        area.draw(&Circle::new((x, 15), RADIUS, COLORS[k % COLORS.len()].filled()))?;
        area.draw(&Text::new(group.name.as_str(), (x + 8, 8), (FONT, 15)))?;
        x += 30 + 8 * group.name.chars().count() as i32;
    }
    Ok(())
}
