//! A guide to the ideas behind the crate. Each page has a motivation, a formula, a short runnable example and a figure.
//!
//! The pages follow the book 「ゼロから作る Deep Learning」 and can be read in order. Each has an example in the repository
//! that covers the topic in full: `cargo run --release --example NAME` prints its results and writes its figures to
//! `target/figures`.
//!
//! | page | topic | example |
//! |---|---|---|
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
//! | [Custom operations](custom_operations) | a forward pass and a backward rule | `06_gradient_check` |
//! | [Saving and resuming](saving_and_resuming) | models, and checkpoints that resume bit for bit | `mnist` |
//! | [Parallel gradients](parallel_gradients) | results independent of the number of threads | `08_batch_sizes` |

/// Declares a page: the text of that name from `docs/guide`, followed by a figure from `docs/figures` drawn by its example.
macro_rules! page {
    ($name:ident $(, $figure:literal)?) => {
        #[doc = include_str!(concat!("../docs/guide/", stringify!($name), ".md"))]
        $(
            #[doc = ""]
            #[doc = include_str!(concat!("../docs/figures/", $figure, ".svg"))]
        )?
        pub mod $name {}
    };
}

page!(numerical_differentiation, "01_numerical_diff");
page!(gradient_descent, "02_gradient_descent");
page!(backpropagation, "03_backprop_nodes");
page!(matrix_products, "04_matrix_product");
page!(inference, "05_throughput");
page!(gradient_check, "06_gradient_check");
page!(optimizers, "07_paths");
page!(batch_sizes, "08_batch_sizes");
page!(weight_initialization, "09_weight_init_relu");
page!(batch_normalization, "10_large_rates");
page!(overfitting, "11_overfitting");
page!(hyperparameters, "12_hyperparameters");
page!(recommendation, "13_recommend");
page!(dimensionality_reduction, "14_autoencoder");
page!(second_derivatives, "15_rosenbrock");
page!(learning_to_learn, "16_adaptation");
page!(word_vectors, "17_word2vec");
page!(recurrent_networks, "18_char_rnn");
page!(attention, "19_seq2seq");
page!(custom_operations);
page!(saving_and_resuming);
page!(parallel_gradients);
