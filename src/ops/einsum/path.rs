//! The order in which an Einstein summation contracts its operands, as numpy's `einsum_path`.

use crate::ops::einsum::equation::{Equation, Label};

/// Up to this number of operands the optimal path is found.
const MAX_OPTIMAL: usize = 8;

/// The pairs of terms to contract, in order. The n operands are terms 0 to n − 1, the result of the first pair is term n, and so on.
///
/// For few operands this is the path with the fewest multiplications, found by dynamic programming over subsets; for many it is
/// greedy.
pub(crate) fn contraction_path(equation: &Equation) -> Vec<(usize, usize)> {
    if equation.operands.len() <= MAX_OPTIMAL { optimal(equation) } else { greedy(equation) }
}

/// The labels that remain in a product of terms: those of the output or of the terms outside.
fn remaining(equation: &Equation, inside: &[&[Label]], outside: &[&[Label]]) -> Vec<Label> {
    let needed = |label: &Label| equation.output.contains(label) || outside.iter().any(|other| other.contains(label));
    let mut labels: Vec<Label> = inside.iter().copied().flatten().copied().filter(needed).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// The number of multiplications of a contraction: the product of the sizes of all its labels.
fn cost(equation: &Equation, a: &[Label], b: &[Label]) -> f64 {
    let others = b.iter().filter(|label| !a.contains(label));
    a.iter().chain(others).map(|label| equation.sizes[label] as f64).product()
}

/// The path with the lowest total cost.
fn optimal(equation: &Equation) -> Vec<(usize, usize)> {
    let n = equation.operands.len();
    let part = |set: usize, inside: bool| {
        let chosen = (0..n).filter(|k| (set >> k & 1 == 1) == inside);
        chosen.map(|k| equation.operands[k].as_slice()).collect::<Vec<_>>()
    };
    let labels: Vec<_> = (0..1 << n).map(|set| remaining(equation, &part(set, true), &part(set, false))).collect();
    // For each set the lowest cost, which may be infinite, and one of the two parts that it is the product of, or 0.
    let mut best = vec![(f64::INFINITY, 0); 1 << n];
    for set in 1..1usize << n {
        if set.is_power_of_two() {
            best[set] = (0.0, 0);
            continue;
        }
        let mut part = (set - 1) & set;
        while part > 0 {
            let rest = set ^ part;
            let total = best[part].0 + best[rest].0 + cost(equation, &labels[part], &labels[rest]);
            // Each split occurs twice.
            if part < rest && (best[set].1 == 0 || total < best[set].0) {
                best[set] = (total, part);
            }
            part = (part - 1) & set;
        }
    }
    let mut pairs = Vec::new();
    pairs_of((1 << n) - 1, n, &best, &mut pairs);
    pairs
}

/// Appends the pairs that contract a set; returns the number of the resulting term.
fn pairs_of(set: usize, n: usize, best: &[(f64, usize)], pairs: &mut Vec<(usize, usize)>) -> usize {
    if set.is_power_of_two() {
        return set.trailing_zeros() as usize;
    }
    let part = best[set].1;
    let pair = (pairs_of(part, n, best, pairs), pairs_of(set ^ part, n, best, pairs));
    pairs.push(pair);
    n + pairs.len() - 1
}

/// The path that always contracts the cheapest pair.
fn greedy(equation: &Equation) -> Vec<(usize, usize)> {
    let mut terms: Vec<(usize, Vec<Label>)> = equation.operands.iter().cloned().enumerate().collect();
    let (n, mut pairs) = (terms.len(), Vec::new());
    while terms.len() > 1 {
        let all = (0..terms.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
        let cost = |&(i, j): &(usize, usize)| cost(equation, &terms[i].1, &terms[j].1);
        let (i, j) = all.min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("there are two terms");
        let (b, a) = (terms.remove(j), terms.remove(i));
        let outside: Vec<_> = terms.iter().map(|(_, labels)| labels.as_slice()).collect();
        let labels = remaining(equation, &[&a.1, &b.1], &outside);
        pairs.push((a.0, b.0));
        terms.push((n + pairs.len() - 1, labels));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain of matrix products: `ab,bc,cd->ad`, with the sizes of a, b, c, d.
    fn chain(sizes: &[usize]) -> Equation {
        let letters: Vec<char> = ('a'..).take(sizes.len()).collect();
        let terms: Vec<String> = letters.windows(2).map(|pair| pair.iter().collect()).collect();
        let text = format!("{}->{}{}", terms.join(","), letters[0], letters[letters.len() - 1]);
        Equation::new(&text, &sizes.windows(2).collect::<Vec<_>>())
    }

    #[test]
    fn the_optimal_path_is_found() {
        assert_eq!(contraction_path(&chain(&[2, 3])), []);
        assert_eq!(contraction_path(&chain(&[100, 100, 100, 1])), [(1, 2), (0, 3)]);
        assert_eq!(contraction_path(&chain(&[1, 100, 100, 100])), [(0, 1), (3, 2)]);
        // Cormen et al., Introduction to Algorithms, the example of the matrix-chain product: ((A (B C)) ((D E) F)).
        let pairs = contraction_path(&chain(&[30, 35, 15, 5, 10, 20, 25]));
        let made = |at: usize| pairs[at - 6];
        let (left, right) = made(10);
        assert_eq!((made(left).0, made(made(left).1), made(made(right).0), made(right).1), (0, (1, 2), (3, 4), 5));
    }

    #[test]
    fn many_operands_are_contracted_greedily() {
        let sizes: Vec<usize> = (0..20).map(|k| 1 + k * 7 % 5).collect();
        let pairs = contraction_path(&chain(&sizes));
        let mut used: Vec<usize> = pairs.iter().flat_map(|&(i, j)| [i, j]).collect();
        used.sort_unstable();
        assert_eq!(used, (0..36).collect::<Vec<_>>());
    }
}
