//! Reinforcement learning: a pole on a cart is balanced by three methods that know nothing of its physics.
//!
//! `cargo run --release --example 23_policy` trains, with several seeds each,
//! - REINFORCE with a baseline (Williams 1992), which learns from whole episodes,
//! - an actor and a critic (Mnih et al. 2016, "Asynchronous Methods for Deep Reinforcement Learning", in lockstep), which learn from parts of
//!   episodes, with the advantage estimated as by Schulman et al. (2016),
//! - a deep Q-network (Mnih et al. 2015, "Human-Level Control through Deep Reinforcement Learning"), which learns from remembered steps,
//!
//! all on the same number of steps, and tests the last policy of each on episodes that it has not seen.

mod support {
    pub mod cart_pole;
    pub mod command;
    pub mod figure;
    pub mod lines;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use std::time::Instant;
use support::cart_pole::{CartPole, End, MAX_STEPS};
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::lines::{Line, lines, mesh};
use support::style::{COLORS, FONT};
use wengert::Generator;
use wengert::nn::Relu;
use wengert::parallel;
use wengert::prelude::*;
use wengert::rand::RngExt;
use wengert::text::Categorical;

const SEEDS: usize = 5;
/// Steps of the environment between two evaluations during training, and episodes of each.
const INTERVAL: usize = 4000;
const EPISODES: usize = 10;
/// Episodes to test the last policy, and the mean return at which the task counts as solved.
const TEST_EPISODES: usize = 100;
const SOLVED: f64 = 475.0;
/// Weight of a reward one step later.
const DISCOUNT: f32 = 0.99;
/// The reward of a step, which makes the values of states at most 1.
const REWARD: f32 = 1.0 - DISCOUNT;
/// Units of the two hidden layers.
const HIDDEN: usize = 64;

type Network = (Linear, Relu, Linear, Relu, Linear);

/// Creates a network that maps the four numbers of a state to some outputs.
fn network(outputs: usize, rng: &mut impl Rng) -> Network {
    let mut layer = |inputs, outputs| Linear::new(inputs, outputs, Init::He, rng);
    (layer(4, HIDDEN), Relu, layer(HIDDEN, HIDDEN), Relu, layer(HIDDEN, outputs))
}

/// A method trains a network, whose largest output is the action to take.
struct Method {
    name: &'static str,
    train: fn(&mut Progress, &mut Generator) -> Network,
}

const METHODS: [Method; 3] = [
    Method { name: "REINFORCE", train: reinforce },
    Method { name: "actor-critic", train: actor_critic },
    Method { name: "DQN", train: deep_q },
];

/// Counts the steps of the environment, and evaluates the network at intervals.
struct Progress {
    steps: usize,
    budget: usize,
    /// Mean returns.
    returns: Vec<f64>,
}

impl Progress {
    fn step(&mut self, network: &Network) {
        self.steps += 1;
        if self.steps.is_multiple_of(INTERVAL) && self.steps <= self.budget {
            self.returns.push(evaluate(network, EPISODES, 1000 + self.steps as u64));
        }
    }

    /// The part of the budget that is left.
    fn left(&self) -> f64 {
        1.0 - self.steps as f64 / self.budget as f64
    }

    fn done(&self) -> bool {
        self.steps >= self.budget
    }
}

/// The observations of states as rows.
fn rows(observations: &[[f32; 4]]) -> Tensor {
    Tensor::from_slice(observations.as_flattened(), [observations.len(), 4])
}

/// The outputs of a network for some observations.
fn outputs(network: &Network, observations: &[[f32; 4]]) -> Tensor {
    network.forward(&Tape::inference().constant(rows(observations))).value().clone()
}

/// The mean return of episodes in which the network acts.
fn evaluate(network: &Network, episodes: usize, seed: u64) -> f64 {
    let mut rng = wengert::rng(seed);
    let mut running: Vec<CartPole> = (0..episodes).map(|_| CartPole::new(&mut rng)).collect();
    let mut total = 0;
    while !running.is_empty() {
        let observations: Vec<_> = running.iter().map(CartPole::observation).collect();
        let mut actions = outputs(network, &observations).argmax(1).into_iter();
        total += running.len();
        running.retain_mut(|pole| pole.step(actions.next().expect("an action for each")).is_none());
    }
    total as f64 / episodes as f64
}

/// A network that gives the log-probabilities of actions, up to a constant, and one that gives the value of a state.
struct ActorCritic {
    actor: Network,
    critic: Network,
}
module!(ActorCritic { actor, critic });

impl ActorCritic {
    fn new(rng: &mut impl Rng) -> Self {
        ActorCritic { actor: network(2, rng), critic: network(1, rng) }
    }

    /// Draws an action for each observation.
    fn act(&self, observations: &[[f32; 4]], rng: &mut impl Rng) -> Vec<usize> {
        Categorical::new(&outputs(&self.actor, observations)).sample(rng).as_slice().to_vec()
    }

    /// Takes a step along the gradient of `E[A ln π(a|s)]`, with the advantage A of each action, and moves the values to their targets.
    fn improve(&mut self, optimizer: &mut Adam, taken: &Taken) {
        let tape = Tape::new();
        let (x, count) = (tape.constant(rows(&taken.observations)), taken.actions.len());
        let column = |numbers: &[f32]| Tensor::from_slice(numbers, [count, 1]);
        let loss_of_action =
            CrossEntropy::new().reduction(Reduction::None).loss(&self.actor.forward(&x), &taken.actions);
        let loss = (loss_of_action * column(&taken.advantages).reshape([-1])).mean();
        let error = self.critic.forward(&x).mse_loss(column(&taken.values), Reduction::Mean);
        optimizer.step(self, &(loss + error).backward());
    }
}

/// What has been done, how much better it was than expected, and what the states have turned out to be worth.
#[derive(Default)]
struct Taken {
    observations: Vec<[f32; 4]>,
    actions: Vec<usize>,
    advantages: Vec<f32>,
    values: Vec<f32>,
}

fn reinforce(progress: &mut Progress, rng: &mut Generator) -> Network {
    const LEARNING_RATE: f64 = 3e-3;
    let mut agent = ActorCritic::new(rng);
    let mut optimizer = Adam::new(LEARNING_RATE);
    while !progress.done() {
        optimizer.set_learning_rate(LEARNING_RATE * progress.left());
        let (mut taken, mut pole) = (Taken::default(), CartPole::new(rng));
        let end = loop {
            let observation = pole.observation();
            let action = agent.act(&[observation], rng)[0];
            taken.observations.push(observation);
            taken.actions.push(action);
            progress.step(&agent.actor);
            if let Some(end) = pole.step(action) {
                break end;
            }
        };
        // What would follow if the time were not up.
        let mut value = match end {
            End::TimeUp => outputs(&agent.critic, &[pole.observation()]).item(),
            End::Failure => 0.0,
        };
        taken.values = Vec::from_iter(taken.actions.iter().rev().map(|_| {
            value = REWARD + DISCOUNT * value;
            value
        }));
        taken.values.reverse();
        let expected = outputs(&agent.critic, &taken.observations);
        taken.advantages = taken.values.iter().zip(expected.iter()).map(|(value, expected)| value - expected).collect();
        agent.improve(&mut optimizer, &taken);
    }
    agent.actor
}

fn actor_critic(progress: &mut Progress, rng: &mut Generator) -> Network {
    const LEARNING_RATE: f64 = 2e-3;
    /// Episodes in lockstep, and steps of each before the networks change.
    const RUNNING: usize = 8;
    const STEPS: usize = 32;
    /// Weight of the advantage one step later, next to the discount.
    const DECAY: f32 = 0.95;
    let mut agent = ActorCritic::new(rng);
    let mut optimizer = Adam::new(LEARNING_RATE);
    let mut poles = Vec::from_iter((0..RUNNING).map(|_| CartPole::new(rng)));
    while !progress.done() {
        optimizer.set_learning_rate(LEARNING_RATE * progress.left());
        let mut taken = Taken::default();
        // For each step, the value of what follows, and whether the episode goes on.
        let mut following = Vec::new();
        for _ in 0..STEPS {
            let observations: Vec<_> = poles.iter().map(CartPole::observation).collect();
            let actions = agent.act(&observations, rng);
            let ends: Vec<_> = poles.iter_mut().zip(&actions).map(|(pole, &action)| pole.step(action)).collect();
            let after: Vec<_> = poles.iter().map(CartPole::observation).collect();
            let values = outputs(&agent.critic, &after);
            for ((pole, end), &value) in poles.iter_mut().zip(ends).zip(values.iter()) {
                following.push((if end == Some(End::Failure) { 0.0 } else { value }, end.is_none()));
                if end.is_some() {
                    *pole = CartPole::new(rng);
                }
                progress.step(&agent.actor);
            }
            taken.observations.extend(observations);
            taken.actions.extend(actions);
        }
        let values = outputs(&agent.critic, &taken.observations).to_vec();
        taken.advantages = vec![0.0; values.len()];
        for at in (0..values.len()).rev() {
            let (next, goes_on) = following[at];
            let later = if goes_on { taken.advantages.get(at + RUNNING).copied().unwrap_or(0.0) } else { 0.0 };
            taken.advantages[at] = REWARD + DISCOUNT * next - values[at] + DISCOUNT * DECAY * later;
        }
        taken.values = taken.advantages.iter().zip(&values).map(|(advantage, value)| advantage + value).collect();
        agent.improve(&mut optimizer, &taken);
    }
    agent.actor
}

/// A remembered step.
#[derive(Clone, Copy)]
struct Transition {
    before: [f32; 4],
    action: usize,
    after: [f32; 4],
    failed: bool,
}

fn deep_q(progress: &mut Progress, rng: &mut Generator) -> Network {
    const LEARNING_RATE: f64 = 1e-3;
    /// Number of remembered steps before learning begins, and of those to learn from at a time.
    const FIRST: usize = 1000;
    const BATCH: usize = 64;
    /// Steps between two copies of the network that gives the targets.
    const COPY: usize = 500;
    /// The part of the budget after which hardly any action is random.
    const EXPLORATION: f64 = 0.2;
    let mut network = network(2, rng);
    let (mut target, mut optimizer) = (network.clone(), Adam::new(LEARNING_RATE));
    let (mut memory, mut pole) = (Vec::<Transition>::new(), CartPole::new(rng));
    while !progress.done() {
        let random = (1.0 - (1.0 - progress.left()) / EXPLORATION).max(0.02);
        let before = pole.observation();
        let action =
            if rng.random_bool(random) { rng.random_range(0..2) } else { outputs(&network, &[before]).argmax(1)[0] };
        let end = pole.step(action);
        memory.push(Transition { before, action, after: pole.observation(), failed: end == Some(End::Failure) });
        if end.is_some() {
            pole = CartPole::new(rng);
        }
        if memory.len() >= FIRST {
            let batch = [(); BATCH].map(|()| memory[rng.random_range(0..memory.len())]);
            optimizer.set_learning_rate(LEARNING_RATE * progress.left());
            let gradients = q_loss(&network, &target, &batch).backward();
            optimizer.step(&mut network, &gradients);
        }
        if progress.steps.is_multiple_of(COPY) {
            target = network.clone();
        }
        progress.step(&network);
    }
    network
}

/// The Huber loss between the values of actions and `r + γ max Q(s′, a′)`, in which the values Q are those of another network.
fn q_loss(network: &Network, target: &Network, batch: &[Transition]) -> Var {
    let [before, after] = [|step: &Transition| step.before, |step: &Transition| step.after]
        .map(|observation| Vec::from_iter(batch.iter().map(observation)));
    let best = outputs(target, &after).max_over(1);
    let value = |(step, &best): (&Transition, &f32)| REWARD + if step.failed { 0.0 } else { DISCOUNT * best };
    let values = Vec::from_iter(batch.iter().zip(best.iter()).map(value));
    let actions = Indices::new(batch.iter().map(|step| step.action).collect::<Vec<_>>(), [batch.len(), 1]);
    let estimates = network.forward(&Tape::new().constant(rows(&before))).gather(1, actions);
    estimates.huber_loss(Tensor::from_vec(values, [batch.len(), 1]), 1.0, Reduction::Mean)
}

/// A trained network with its evaluations during training, and the last one.
struct Run {
    network: Network,
    returns: Vec<f64>,
    last: f64,
}

fn main() -> Outcome {
    start(include_str!("23_policy.rs"), []);
    let (budget, seeds) = if quick() { (2 * INTERVAL, 2) } else { (100_000, SEEDS) };
    let tasks: Vec<(usize, usize)> =
        (0..METHODS.len()).flat_map(|method| (0..seeds).map(move |k| (method, k))).collect();
    let start = Instant::now();
    let runs = parallel::map(&tasks, |&(method, seed)| {
        let mut progress = Progress { steps: 0, budget, returns: Vec::new() };
        let network = (METHODS[method].train)(&mut progress, &mut wengert::rng(seed as u64));
        let last = evaluate(&network, TEST_EPISODES, 0);
        Run { network, returns: progress.returns, last }
    });
    println!("{budget} steps of training with each of {seeds} seeds, in {:.1} s", start.elapsed().as_secs_f64());
    println!("mean return of the last policy over {TEST_EPISODES} episodes of at most {MAX_STEPS} steps, by seed");
    for (method, runs) in METHODS.iter().zip(runs.chunks(seeds)) {
        let solved = runs.iter().filter(|run| run.last >= SOLVED).count();
        let returns: String = runs.iter().map(|run| format!("{:>7.1}", run.last)).collect();
        println!("{:<12} {returns}   {solved} of {seeds} solve it", method.name);
    }
    println!();
    draw(&runs, seeds)
}

fn draw(runs: &[Run], seeds: usize) -> Outcome {
    let position = |(method, runs): (&Method, &[Run])| {
        let mut pole = CartPole::new(&mut wengert::rng(0));
        let mut points = vec![(0.0, pole.position)];
        loop {
            let end = pole.step(outputs(&runs[0].network, &[pole.observation()]).argmax(1)[0]);
            points.push((pole.steps as f64, pole.position));
            if end.is_some() {
                break Line { label: method.name.into(), points };
            }
        }
    };
    let positions: Vec<Line> = METHODS.iter().zip(runs.chunks(seeds)).map(position).collect();
    figure("23_policy", "A pole on a cart", (1200, 520), |area| {
        let panels = area.split_evenly((1, 2));
        bands(&panels[0], runs, seeds)?;
        lines(
            &panels[1],
            "the cart in an episode after training, seed 0",
            ("step", "position in meters"),
            None,
            &positions,
        )
    })
}

/// Draws the mean over the seeds in front of the range from the lowest to the highest.
fn bands(area: &Canvas, runs: &[Run], seeds: usize) -> Outcome {
    let caption = format!("mean return of {EPISODES} episodes: mean and range of {seeds} seeds");
    let below = area.titled(&caption, (FONT, 18))?;
    let thousands = |evaluations: usize| (evaluations * INTERVAL) as f64 / 1000.0;
    let count = runs[0].returns.len();
    let mut chart = ChartBuilder::on(&below)
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(0.0..thousands(count), 0.0..1.02 * MAX_STEPS as f64)?;
    mesh(&mut chart, ("thousands of steps", "return"))?;
    for ((method, runs), color) in METHODS.iter().zip(runs.chunks(seeds)).zip(COLORS) {
        let curve = |of: fn(&[f64]) -> f64| {
            let at = |k: usize| of(&Vec::from_iter(runs.iter().map(|run| run.returns[k])));
            Vec::from_iter((0..count).map(|k| (thousands(k + 1), at(k))))
        };
        let lowest = curve(|returns| returns.iter().copied().fold(f64::INFINITY, f64::min));
        let highest = curve(|returns| returns.iter().copied().fold(0.0, f64::max));
        let outline = [lowest, highest.into_iter().rev().collect()].concat();
        chart.draw_series([Polygon::new(outline, color.mix(0.15))])?;
        let mean = curve(|returns| returns.iter().sum::<f64>() / returns.len() as f64);
        chart
            .draw_series(LineSeries::new(mean, color.stroke_width(2)))?
            .label(method.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 14))
        .draw()?;
    Ok(())
}
