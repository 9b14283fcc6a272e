//! The memory model FSRS-6 (Free Spaced Repetition Scheduler, Ye 2022–2025): stability S is the number of days after which the
//! probability of recall is 0.9, difficulty D goes from 1 to 10, and 21 parameters w say how reviews change both.
//! Grades are 1 (again), 2 (hard), 3 (good) and 4 (easy).

use wengert::prelude::*;

/// The published default parameters.
pub const DEFAULTS: [f64; 21] = [
    0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796, 1.4835, 0.0614, 0.2629,
    1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542,
];
pub const EASY: f64 = 4.0;
const GOOD: f64 = 3.0;
const HARD: f64 = 2.0;
pub const AGAIN: f64 = 1.0;

/// One review of each card.
pub struct Review {
    /// Days since the review before, 0 for the same day: `[cards]`.
    pub days: Tensor<f64>,
    /// `[cards]`.
    pub grades: Tensor<f64>,
}

/// What is known of cards after a review: each `[cards]`.
pub struct Memory {
    pub stability: Var<f64>,
    pub difficulty: Var<f64>,
}

/// The model with its parameters, each `[1]`.
pub struct Fsrs {
    w: Vec<Var<f64>>,
}

impl Fsrs {
    /// From the logarithms of the parameters, which are all positive: `[21]`.
    pub fn new(logarithms: &Var<f64>) -> Self {
        let w = logarithms.exp();
        Fsrs { w: (0..21).map(|k| w.slice(0, k..k + 1)).collect() }
    }

    /// `f` of the forgetting curve, such that the probability is 0.9 when as many days have passed as the stability.
    fn factor(&self) -> Var<f64> {
        (self.w[20].reciprocal() * -0.9f64.ln()).expm1()
    }

    /// The probability of recall after some days: `(1 + f · days / S)^−w20`.
    pub fn recall(&self, stability: &Var<f64>, days: &Tensor<f64>) -> Var<f64> {
        (-(self.factor() * days / stability).log1p() * &self.w[20]).exp()
    }

    /// The days until the probability of recall falls to the given one.
    pub fn interval(&self, stability: &Var<f64>, recall: &Tensor<f64>) -> Tensor<f64> {
        let share = (-(stability.constant(recall).ln()) / &self.w[20]).expm1();
        (share / self.factor() * stability).value().clone()
    }

    /// The memory of cards after their first review.
    pub fn first(&self, grades: &Tensor<f64>) -> Memory {
        let rows: Vec<usize> = grades.as_slice().iter().map(|&grade| grade as usize - 1).collect();
        let stability = Var::concat(&self.w[..4], 0).index_select(0, &rows);
        Memory { stability, difficulty: self.first_difficulty(grades).clamp(1.0, 10.0) }
    }

    fn first_difficulty(&self, grades: &Tensor<f64>) -> Var<f64> {
        &self.w[4] - (&self.w[5] * (grades - 1.0)).exp() + 1.0
    }

    /// The memory of cards after another review.
    pub fn next(&self, memory: &Memory, review: &Review) -> Memory {
        let Review { days, grades } = review;
        let lapsed = self.after_lapse(memory, days);
        let recalled = self.after_recall(memory, review);
        let stability = lapsed.where_(&grades.mask(|grade| grade == AGAIN), recalled);
        let same_day = self.on_the_same_day(memory, grades);
        let stability = same_day.where_(&days.mask(|days| days == 0.0), stability).clamp(0.001, 36500.0);

        // The more difficult a card is, the less a failure adds; and difficulty returns toward that of an easy card.
        let w = &self.w;
        let change = -(&w[6] * (grades - 3.0)) * (10.0 - &memory.difficulty) / 9.0;
        let easy = self.first_difficulty(&Tensor::from([EASY]));
        let difficulty = &w[7] * easy + (1.0 - &w[7]) * (&memory.difficulty + change);
        Memory { stability, difficulty: difficulty.clamp(1.0, 10.0) }
    }

    /// `S · (1 + e^w8 · (11 − D) · S^−w9 · (e^(w10 (1 − R)) − 1) · (w15 if hard) · (w16 if easy))`: the later a success, the larger
    /// the gain.
    fn after_recall(&self, Memory { stability, difficulty }: &Memory, Review { days, grades }: &Review) -> Var<f64> {
        let w = &self.w;
        let gain = (&w[10] * (1.0 - self.recall(stability, days))).expm1();
        let hard = w[15].where_(&grades.mask(|grade| grade == HARD), 1.0);
        let easy = w[16].where_(&grades.mask(|grade| grade == EASY), 1.0);
        stability * (1.0 + w[8].exp() * (11.0 - difficulty) * stability.pow(-&w[9]) * gain * hard * easy)
    }

    /// `w11 · D^−w12 · ((S + 1)^w13 − 1) · e^(w14 (1 − R))`, and not more than `S / e^(w17 w18)`.
    fn after_lapse(&self, Memory { stability, difficulty }: &Memory, days: &Tensor<f64>) -> Var<f64> {
        let w = &self.w;
        let late = (&w[14] * (1.0 - self.recall(stability, days))).exp();
        let left = &w[11] * difficulty.pow(-&w[12]) * ((stability + 1.0).pow(&w[13]) - 1.0) * late;
        left.minimum(stability / (&w[17] * &w[18]).exp())
    }

    /// `S · e^(w17 (G − 3 + w18)) · S^−w19`, and not less than S after the grades good and easy.
    fn on_the_same_day(&self, Memory { stability, .. }: &Memory, grades: &Tensor<f64>) -> Var<f64> {
        let w = &self.w;
        let factor = (&w[17] * (&w[18] + (grades - 3.0))).exp() * stability.pow(-&w[19]);
        let least = grades.map(|grade| if grade < GOOD { 0.0 } else { 1.0 });
        stability * factor.maximum(&least)
    }
}
