//! The order in which an Einstein summation contracts its operands, as numpy's `einsum_path`.

use crate::ops::einsum::equation::{Equation, Label};

/// Up to this number of operands the optimal path is found.
const MAX_OPTIMAL: usize = 8;
/// The number of terms among which the cheapest pair is sought: a bound on the time that many operands take.
const MAX_CANDIDATES: usize = 64;

/// The pairs of terms to contract, in order. The n operands are terms 0 to n − 1, the result of the first pair is term n, and so on.
///
/// For few operands this is the path with the fewest multiplications, found by dynamic programming over subsets; for many it is
/// greedy.
pub(crate) fn contraction_path(equation: &Equation) -> Vec<(usize, usize)> {
    let problem = Problem::of(equation);
    if equation.operands.len() <= MAX_OPTIMAL { problem.optimal() } else { problem.greedy() }
}

/// A set of labels, as bits: 52 letters and at most 64 axes of an ellipsis.
type Set = u128;

/// An equation with sets of labels.
struct Problem {
    /// The size of each label.
    sizes: Vec<f64>,
    operands: Vec<Set>,
    output: Set,
}

impl Problem {
    fn of(equation: &Equation) -> Self {
        let known: Vec<Label> = equation.sizes.keys().copied().collect();
        let bit = |label: &Label| 1 << known.binary_search(label).expect("every label has a size");
        let set = |labels: &Vec<Label>| labels.iter().map(bit).fold(0, |a: Set, b: Set| a | b);
        Problem {
            sizes: equation.sizes.values().map(|&size| size as f64).collect(),
            operands: equation.operands.iter().map(set).collect(),
            output: set(&equation.output),
        }
    }

    /// The number of multiplications of a contraction: the product of the sizes of all its labels.
    fn cost(&self, a: Set, b: Set) -> f64 {
        let has = |k: &usize| (a | b) >> k & 1 == 1;
        (0..self.sizes.len()).filter(has).map(|k| self.sizes[k]).product()
    }

    /// The path with the lowest total cost.
    fn optimal(&self) -> Vec<(usize, usize)> {
        let n = self.operands.len();
        let union = |set: usize| (0..n).filter(|k| set >> k & 1 == 1).fold(0, |all, k| all | self.operands[k]);
        // The labels that remain in each product: those of the output or of the terms outside.
        let labels: Vec<Set> = (0..1usize << n).map(|set| union(set) & (self.output | union(!set))).collect();
        // For each set the lowest cost, which may be infinite, and one of the two parts that it is the product of, or 0.
        let mut best = vec![(f64::INFINITY, 0); 1 << n];
        for set in 1..1usize << n {
            if set.is_power_of_two() {
                best[set] = (0.0, 0);
                continue;
            }
            let mut part = (set - 1) & set;
            // Each split occurs twice.
            while part > 0 {
                let rest = set ^ part;
                if part < rest {
                    let total = best[part].0 + best[rest].0 + self.cost(labels[part], labels[rest]);
                    if best[set].1 == 0 || total < best[set].0 {
                        best[set] = (total, part);
                    }
                }
                part = (part - 1) & set;
            }
        }
        let mut pairs = Vec::new();
        pairs_of((1 << n) - 1, n, &best, &mut pairs);
        pairs
    }

    /// The path that always contracts the cheapest pair of the first terms.
    fn greedy(&self) -> Vec<(usize, usize)> {
        let mut terms: Vec<(usize, Set)> = self.operands.iter().copied().enumerate().collect();
        let (n, mut pairs) = (terms.len(), Vec::new());
        while terms.len() > 1 {
            let all = (0..terms.len().min(MAX_CANDIDATES)).flat_map(|j| (0..j).map(move |i| (i, j)));
            let costs = all.map(|(i, j)| (self.cost(terms[i].1, terms[j].1), i, j));
            let (_, i, j) = costs.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there are two terms");
            let (b, a) = (terms.remove(j), terms.remove(i));
            let outside = terms.iter().fold(self.output, |all, term| all | term.1);
            pairs.push((a.0, b.0));
            terms.push((n + pairs.len() - 1, (a.1 | b.1) & outside));
        }
        pairs
    }
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

    /// Checks that every term but the last is contracted once.
    fn check_path(equation: &Equation) {
        let mut used: Vec<usize> = contraction_path(equation).iter().flat_map(|&(i, j)| [i, j]).collect();
        used.sort_unstable();
        assert_eq!(used, (0..2 * equation.operands.len() - 2).collect::<Vec<_>>());
    }

    #[test]
    fn many_operands_are_contracted_greedily() {
        let sizes: Vec<usize> = (0..20).map(|k| 1 + k * 7 % 5).collect();
        check_path(&chain(&sizes));
    }

    #[test]
    fn the_search_of_many_letters_and_operands_is_bounded() {
        let letters: String = ('a'..='z').chain('A'..='Z').collect();
        for n in [MAX_OPTIMAL, MAX_OPTIMAL + 1, 100] {
            // The costs are infinite.
            let (terms, shape) = (vec![letters.as_str(); n], [usize::MAX; 52]);
            check_path(&Equation::new(&(terms.join(",") + "->"), &vec![&shape[..]; n]));
        }
        let terms = vec!["ab"; 3000];
        check_path(&Equation::new(&(terms.join(",") + "->"), &vec![&[2, 3][..]; 3000]));
    }
}
