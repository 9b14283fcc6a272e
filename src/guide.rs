//! The ideas behind the crate, a page each: why, the formula, a few lines that run, and a figure.
//!
//! They follow the road of the book 「ゼロから作る Deep Learning」 and can be read in this order. Each belongs to an example in the
//! repository, which shows the matter at full size: `cargo run --release --example NAME` prints it, and draws its figures
//! under `target/figures`.
//!
//! | | | example |
//! |---|---|---|
//! | [Numerical differentiation](numerical_differentiation) | the derivative as a difference | `01_numerical_diff` |
//! | [Gradient descent](gradient_descent) | steps downhill, and how large they may be | `02_gradient_descent` |
//! | [Backpropagation](backpropagation) | the chain rule, node by node | `03_backprop_nodes` |
//! | [Matrix products](matrix_products) | layers, and shapes that chain | `04_matrix_product` |
//! | [Inference](inference) | from scores to answers, in batches | `05_forward` |
//! | [Gradient check](gradient_check) | differences against backpropagation | `06_gradient_check` |
//! | [Optimizers](optimizers) | momentum, AdaGrad, Adam and their kin | `07_optimizers` |
//! | [Batch sizes](batch_sizes) | online, mini-batch, full batch | `08_batch_sizes` |
//! | [Weight initialisation](weight_initialisation) | Xavier, He, and what happens otherwise | `09_weight_init` |
//! | [Batch normalisation](batch_normalisation) | a sensible size at each layer | `10_batch_norm` |
//! | [Overfitting](overfitting) | weight decay, dropout, early stopping | `11_overfitting` |
//! | [Hyperparameters](hyperparameters) | random search on validation data | `12_hyperparameters` |
//! | [Recommendation](recommendation) | matrix factorisation | `13_recommend` |
//! | [Dimensionality reduction](dimensionality_reduction) | autoencoder and PCA | `14_autoencoder` |
//! | [Second derivatives](second_derivatives) | Newton's method, and products with a Hessian that is never formed | `15_second_order` |
//! | [Learning to learn](learning_to_learn) | a training step that is differentiated | `16_maml` |
//! | [Custom operations](custom_operations) | a value and a rule of one's own | `06_gradient_check` |
//! | [Saving and resuming](saving_and_resuming) | models, and checkpoints to the same bits | `mnist` |
//! | [Parallel gradients](parallel_gradients) | threads that change nothing | `08_batch_sizes` |

/// A page: the text of its name under `docs/guide`, and below it a figure that its example drew under `target/figures`, copied
/// to `docs/figures`.
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
page!(weight_initialisation, "09_weight_init_relu");
page!(batch_normalisation, "10_large_rates");
page!(overfitting, "11_overfitting");
page!(hyperparameters, "12_hyperparameters");
page!(recommendation, "13_recommend");
page!(dimensionality_reduction, "14_autoencoder");
page!(second_derivatives, "15_rosenbrock");
page!(learning_to_learn, "16_adaptation");
page!(custom_operations);
page!(saving_and_resuming);
page!(parallel_gradients);
