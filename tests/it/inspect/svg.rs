//! Tapes as SVG drawings, well-formed for any recording.

use super::tape;
use crate::support::samples::Net;
use wengert::autograd::Description;
use wengert::prelude::*;

#[test]
fn svg_of_a_small_network() {
    let (tape, net) = (Tape::new(), Net::new());
    let _loss = net.loss(&tape);
    tape.name_parameters(&net);
    insta::assert_snapshot!(tape.to_svg());
}

/// Checks that all elements are closed and all numbers are finite; returns the number of elements.
fn check_svg(svg: &str) -> usize {
    let (mut open, mut count) = (Vec::new(), 0);
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains(['<', '>']), "{text}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match tag {
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "in {tag}"),
            _ if tag.ends_with('/') => count += 1,
            _ => {
                open.push(name);
                count += 1;
            }
        }
    }
    assert!(open.is_empty() && !svg.contains("NaN") && !svg.contains("inf"), "{open:?}");
    count
}

#[test]
fn drawings_are_well_formed() {
    struct Odd;
    impl Op<f32, 1> for Odd {
        const NAME: &'static str = "a<b & \"c\"";
        const SAVE: Save = Save::Output;
        fn describe(&self, description: &mut Description) {
            description.field("</svg>", &"</svg>\\");
        }
        fn forward(&mut self, [x]: [&Tensor; 1]) -> Tensor {
            x.clone()
        }
        fn backward(&self, _: &Saved<f32, 1>, gy: &Var) -> [Option<Var>; 1] {
            [Some(gy.clone())]
        }
    }
    let empty = Tape::new();
    check_svg(&empty.to_svg());
    assert!(empty.to_dot().ends_with("}\n"));
    assert!(check_svg(&tape(true).to_svg()) > check_svg(&tape(false).to_svg()));

    let x = Tape::new().var([1.0, 2.0]);
    let y = x.apply(Odd);
    check_svg(&x.tape().to_svg());
    assert!(x.tape().to_dot().contains(r#"label="a<b & \"c\" "#), "{}", x.tape().to_dot());
    _ = (y.square() + &x * &x).sum().backward();
    let svg = x.tape().to_svg();
    check_svg(&svg);
    assert!(svg.contains("released") && svg.contains("6 nodes, 1 live"), "{svg}");
}

#[test]
fn a_large_graph_is_a_sentence_instead_of_megabytes() {
    let drawing = |record: &dyn Fn(&Var, usize) -> Vec<Var>| {
        let x = Tape::new().var([2.0]);
        let _kept = record(&x, 100_000);
        let svg = x.tape().to_svg();
        assert_eq!(check_svg(&svg), 2);
        assert!(svg.len() < 1000 && svg.contains("to_dot()"), "{svg}");
        x.tape().to_dot().len() + x.tape().to_string().len()
    };
    let all_read_one = drawing(&|x, n| (0..n).map(|_| x.sin()).collect());
    let chain = drawing(&|x, n| vec![(0..n).fold(x.clone(), |y, _| y.sin())]);
    let both = drawing(&|x, n| vec![(0..n / 2).fold(x.clone(), |y, _| y + x)]);
    let one_reads_all = drawing(&|x, n| {
        let all: Vec<Var> = (0..n).map(|_| x.tape().var([1.0])).collect();
        vec![Var::concat(&all.iter().collect::<Vec<_>>(), 0)]
    });
    let passes = drawing(&|x, n| {
        let y = x.sin().sum();
        (0..n / 10).map(|_| y.grad(x)).collect()
    });
    for (name, length) in
        [("one", all_read_one), ("chain", chain), ("both", both), ("all", one_reads_all), ("passes", passes)]
    {
        assert!(length < 100_000 * 500, "{name}: {length} bytes");
    }
}
