//! In which order to multiply the operands of an Einstein summation.

use crate::ops::einsum::equation::{Equation, Label};

/// Up to this number of operands every order is looked at.
const FEW: usize = 8;

/// The pairs to contract, one after the other. The operands are numbers 0 to n − 1, the result of the first pair is n, and so on.
///
/// Of a few operands the order with the fewest multiplications, by dynamic programming over the sets of operands; of many always the
/// pair with the fewest.
pub(crate) fn order(equation: &Equation) -> Vec<(usize, usize)> {
    if equation.operands.len() <= FEW { cheapest(equation) } else { greedy(equation) }
}

/// The labels that are left of a product of operands: those of the output, or of what is outside.
fn left(equation: &Equation, inside: &[&[Label]], outside: &[&[Label]]) -> Vec<Label> {
    let needed = |label: &Label| equation.output.contains(label) || outside.iter().any(|other| other.contains(label));
    let mut labels: Vec<Label> = inside.iter().copied().flatten().copied().filter(needed).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// Multiplications of a product of two: one for each combination of their subscripts.
fn cost(equation: &Equation, a: &[Label], b: &[Label]) -> f64 {
    let others = b.iter().filter(|label| !a.contains(label));
    a.iter().chain(others).map(|label| equation.sizes[label] as f64).product()
}

/// The order of the lowest cost.
fn cheapest(equation: &Equation) -> Vec<(usize, usize)> {
    let n = equation.operands.len();
    let part = |set: usize, inside: bool| {
        let chosen = (0..n).filter(|k| (set >> k & 1 == 1) == inside);
        chosen.map(|k| equation.operands[k].as_slice()).collect::<Vec<_>>()
    };
    let labels: Vec<_> = (0..1 << n).map(|set| left(equation, &part(set, true), &part(set, false))).collect();
    // For each set its cost, and one of the two parts that it is the product of.
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
            // Each pair of parts comes twice.
            if part < rest && total < best[set].0 {
                best[set] = (total, part);
            }
            part = (part - 1) & set;
        }
    }
    let mut pairs = Vec::new();
    pairs_of((1 << n) - 1, n, &best, &mut pairs);
    pairs
}

/// Lists the pairs that make the product of a set; returns the number of its result.
fn pairs_of(set: usize, n: usize, best: &[(f64, usize)], pairs: &mut Vec<(usize, usize)>) -> usize {
    if set.is_power_of_two() {
        return set.trailing_zeros() as usize;
    }
    let part = best[set].1;
    let pair = (pairs_of(part, n, best, pairs), pairs_of(set ^ part, n, best, pairs));
    pairs.push(pair);
    n + pairs.len() - 1
}

/// Always the pair of the lowest cost.
fn greedy(equation: &Equation) -> Vec<(usize, usize)> {
    let mut factors: Vec<(usize, Vec<Label>)> = equation.operands.iter().cloned().enumerate().collect();
    let (n, mut pairs) = (factors.len(), Vec::new());
    while factors.len() > 1 {
        let all = (0..factors.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
        let of = |&(i, j): &(usize, usize)| cost(equation, &factors[i].1, &factors[j].1);
        let (i, j) = all.min_by(|a, b| of(a).total_cmp(&of(b))).expect("there are two factors");
        let (b, a) = (factors.remove(j), factors.remove(i));
        let outside: Vec<_> = factors.iter().map(|(_, labels)| labels.as_slice()).collect();
        let labels = left(equation, &[&a.1, &b.1], &outside);
        pairs.push((a.0, b.0));
        factors.push((n + pairs.len() - 1, labels));
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
    fn the_cheapest_order_is_found() {
        assert_eq!(order(&chain(&[2, 3])), []);
        assert_eq!(order(&chain(&[100, 100, 100, 1])), [(1, 2), (0, 3)]);
        assert_eq!(order(&chain(&[1, 100, 100, 100])), [(0, 1), (3, 2)]);
        // Cormen et al., Introduction to Algorithms, the example of the matrix-chain product: ((A (B C)) ((D E) F)).
        let pairs = order(&chain(&[30, 35, 15, 5, 10, 20, 25]));
        let made = |at: usize| pairs[at - 6];
        let (left, right) = made(10);
        assert_eq!((made(left).0, made(made(left).1), made(made(right).0), made(right).1), (0, (1, 2), (3, 4), 5));
    }

    #[test]
    fn many_operands_are_contracted_pair_by_pair() {
        let sizes: Vec<usize> = (0..20).map(|k| 1 + k * 7 % 5).collect();
        let pairs = order(&chain(&sizes));
        let mut used: Vec<usize> = pairs.iter().flat_map(|&(i, j)| [i, j]).collect();
        used.sort_unstable();
        assert_eq!(used, (0..36).collect::<Vec<_>>());
    }
}
