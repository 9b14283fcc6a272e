//! A guide to the ideas behind the crate. Each page has a motivation, a formula, a short runnable example and a figure.
//!
//! [日本語](ja)
//!
//! The pages follow the book 「ゼロから作る Deep Learning」 and can be read in order. Each has an example in the repository
//! that covers the topic in full: `cargo run --release --example NAME` prints its results and writes its figures to
//! `target/figures`.
//!
//! | page | topic | example |
//! |---|---|---|
//! | [The perceptron](perceptron) | one neuron, XOR, activation functions | `00_perceptron` |
//! | [Numerical differentiation](numerical_differentiation) | finite differences and their error | `01_numerical_diff` |
//! | [Gradient descent](gradient_descent) | steps downhill, and the learning rate | `02_gradient_descent` |
//! | [Backpropagation](backpropagation) | the chain rule, node by node | `03_backprop_nodes` |
//! | [Matrix products](matrix_products) | layers and their shapes | `04_matrix_product` |
//! | [Inference](inference) | from scores to predictions, in batches | `05_forward` |
//! | [Gradient check](gradient_check) | finite differences against backpropagation | `06_gradient_check` |
//! | [Optimizers](optimizers) | momentum, AdaGrad, Adam and variants | `07_optimizers` |
//! | [Batch sizes](batch_sizes) | online, mini-batch, full batch | `08_batch_sizes` |
//! | [Weight initialization](weight_initialization) | Xavier, He, and why the scale matters | `09_weight_init` |
//! | [Batch normalization](batch_normalization) | activations at a stable scale | `10_batch_norm` |
//! | [Overfitting](overfitting) | weight decay, dropout, early stopping | `11_overfitting` |
//! | [Hyperparameters](hyperparameters) | random search on validation data | `12_hyperparameters` |
//! | [Recommendation](recommendation) | matrix factorization | `13_recommend` |
//! | [Dimensionality reduction](dimensionality_reduction) | autoencoder and PCA | `14_autoencoder` |
//! | [Second derivatives](second_derivatives) | Newton's method and Hessian-vector products | `15_second_order` |
//! | [Learning to learn](learning_to_learn) | differentiating through a training step | `16_maml` |
//! | [Word vectors](word_vectors) | skip-gram with negative sampling | `17_word2vec` |
//! | [Recurrent networks](recurrent_networks) | state, gates, long sequences and sequences of different lengths | `18_char_rnn` |
//! | [Attention](attention) | encoder and decoder, masks, transformers | `19_seq2seq`, `20_gpt` |
//! | [Variational autoencoder](variational_autoencoder) | the evidence lower bound, reparameterization | `21_vae` |
//! | [Diffusion](diffusion) | noise, step by step, and classifier-free guidance | `22_diffusion` |
//! | [Policy gradients](policy_gradients) | REINFORCE, actor and critic, deep Q-networks | `23_policy` |
//! | [Tree networks](tree_networks) | a graph of its own for every sample | `24_tree_net` |
//! | [Networks and physics](physics) | neural differential equations, physics-informed networks | `25_physics` |
//! | [Spaced repetition](spaced_repetition) | a model of memory, fitted through time | `26_spaced_repetition` |
//! | [Gaussian processes](gaussian_process) | a curve with an error band, by linear algebra | `27_gaussian_process` |
//! | [Filters](filters) | convolution as a matrix product | `28_filters` |
//! | [Custom operations](custom_operations) | a forward pass and a backward rule | `06_gradient_check` |
//! | [Saving and resuming](saving_and_resuming) | models, and checkpoints that resume bit for bit | `mnist` |
//! | [Parallel gradients](parallel_gradients) | results independent of the number of threads | `08_batch_sizes` |
//! | [Serving](serving) | predictions in batches, a model replaced while it is in use, online learning | `29_serve` |
//! | [From PyTorch](from_pytorch) | names, and what differs | |
//! | [From numpy](from_numpy) | names, and what differs | |
//! | [From the book](from_the_book) | chapter by chapter, and what differs from its code | |
//! | [Loading weights](loading_weights) | models trained with PyTorch | |
//!
//! # What the examples show, and what they need
//!
//! With their default settings: seconds of processor time, of both threads together, and the peak of resident memory. The machine is that of
//! `docs/performance.md`, shared with other programs, so a quiet one is faster.
//!
//! | example | result | seconds | MB |
//! |---|---|---|---|
//! | `00_perceptron` | XOR by a hidden layer of 2 units in 70 of 100 trials, of 8 in 100 | 4.3 | 5 |
//! | `17_word2vec` | 0.77 of the nearest words are of the same group; by chance 0.13 | 12 | 380 |
//! | `18_char_rnn` | an LSTM after 600 steps at 1.97 bits per character of held-out text; 6-grams 1.83 | 21 | 130 |
//! | `19_seq2seq` | 0.999 of the dates without an error with attention | 6.0 | 298 |
//! | `20_gpt` | loss on held-out text 2.90 nats per character, after 800 steps of a small model | 11 | 41 |
//! | `21_vae` | evidence lower bound −145.4 nats an image; independent pixels −205.9 | 17 | 473 |
//! | `22_diffusion` | recognized: 0.850 of the samples, 1.000 with guidance 3 | 22 | 334 |
//! | `23_policy` | REINFORCE solves cart-pole with 5 of 5 seeds, actor-critic with 4, DQN with 3 | 14 | 24 |
//! | `24_tree_net` | 0.950 of the expressions of depth 10, trained to depth 4; LSTM 0.325 | 10 | 486 |
//! | `25_physics` | conductivity 0.0981 from noisy measurements; true 0.1 | 2.1 | 8 |
//! | `26_spaced_repetition` | log-loss 0.5009 on other cards; lowest possible 0.5003 | 2.7 | 43 |
//! | `27_gaussian_process` | gradient right to 1.2e-9; 96.9 % of new points in the band of 95 % | 0.03 | 12 |
//! | `28_filters` | test accuracy 0.9817 with one convolution | 3.4 | 121 |
//! | `29_serve` | accuracy on inverted digits 0.043 before, 0.49 to 0.81 after learning from requests, by their timing (5 runs) | 6.6 | 103 |
//! | `mnist_deep` | test accuracy 0.9952 | 131 | 425 |

/// Declares the pages of one language in reading order: name, title, and the figure from `docs/figures` that its example draws.
/// Each page is the text of that name from a folder, followed by the figure and by links to its neighbors and to its twin.
macro_rules! pages {
    ($folder:literal, $twin:literal: $($pages:tt)*) => {
        pages!(@page ($folder, $twin) $($pages)*);
    };
    (
        @page ($folder:literal, $twin:literal)
        $([after $previous:ident, $previous_title:literal])?
        $name:ident, $title:literal $(, $figure:literal)?;
        $($next:ident, $next_title:literal $(, $next_figure:literal)?; $($rest:tt)*)?
    ) => {
        #[doc = include_str!(concat!($folder, stringify!($name), ".md"))]
        $(
            #[doc = ""]
            #[doc = include_str!(concat!("../../docs/figures/", $figure, ".svg"))]
        )?
        #[doc = ""]
        $(#[doc = concat!("[← ", $previous_title, "](", stringify!($previous), ") ·")])?
        #[doc = concat!($twin, stringify!($name), ")")]
        $(#[doc = concat!("· [", $next_title, " →](", stringify!($next), ")")])?
        pub mod $name {}

        $(pages! {
            @page ($folder, $twin)
            [after $name, $title]
            $next, $next_title $(, $next_figure)?;
            $($rest)*
        })?
    };
}

pub mod ja;

pages! {
    "../../docs/guide/", "[日本語](crate::guide::ja::":

    perceptron, "The perceptron", "00_perceptron";
    numerical_differentiation, "Numerical differentiation", "01_numerical_diff";
    gradient_descent, "Gradient descent", "02_gradient_descent";
    backpropagation, "Backpropagation", "03_backprop_nodes";
    matrix_products, "Matrix products", "04_matrix_product";
    inference, "Inference", "05_throughput";
    gradient_check, "Gradient check", "06_gradient_check";
    optimizers, "Optimizers", "07_paths";
    batch_sizes, "Batch sizes", "08_batch_sizes";
    weight_initialization, "Weight initialization", "09_weight_init_relu";
    batch_normalization, "Batch normalization", "10_large_rates";
    overfitting, "Overfitting", "11_overfitting";
    hyperparameters, "Hyperparameters", "12_hyperparameters";
    recommendation, "Recommendation", "13_recommend";
    dimensionality_reduction, "Dimensionality reduction", "14_autoencoder";
    second_derivatives, "Second derivatives", "15_rosenbrock";
    learning_to_learn, "Learning to learn", "16_adaptation";
    word_vectors, "Word vectors", "17_word2vec";
    recurrent_networks, "Recurrent networks", "18_char_rnn";
    attention, "Attention", "19_seq2seq";
    variational_autoencoder, "Variational autoencoder", "21_vae";
    diffusion, "Diffusion", "22_diffusion";
    policy_gradients, "Policy gradients", "23_policy";
    tree_networks, "Tree networks", "24_tree_net";
    physics, "Networks and physics", "25_physics";
    spaced_repetition, "Spaced repetition", "26_spaced_repetition";
    gaussian_process, "Gaussian processes", "27_gaussian_process";
    filters, "Filters", "28_filters";
    custom_operations, "Custom operations";
    saving_and_resuming, "Saving and resuming";
    parallel_gradients, "Parallel gradients";
    serving, "Serving";
    from_pytorch, "From PyTorch";
    from_numpy, "From numpy";
    from_the_book, "From the book";
    loading_weights, "Loading weights";
}
