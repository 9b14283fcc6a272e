//! Mistakes in convolutions and pooling.

use super::{Case, variable};
use wengert::prelude::*;

/// Convolutions and pooling.
pub const WINDOWS: &[Case] = &[
    ("wrong_shapes not_convolvable", || _ = variable().conv1d(Tensor::ones([4, 3, 2]), Conv::new())),
    ("wrong_shapes not_convolvable", || _ = images4().conv2d(Tensor::ones([4, 3, 2]), Conv::new())),
    ("wrong_shapes conv_channels", || _ = images4().conv2d(Tensor::ones([4, 3, 2, 2]), Conv::new().groups(2))),
    ("wrong_shapes conv_channels", || {
        _ = Conv2d::new(3, 8, 3, Init::He, &mut wengert::rng(0)).forward(&images4());
    }),
    ("wrong_shapes conv_groups", || _ = images4().conv2d(Tensor::ones([3, 2, 2, 2]), Conv::new().groups(2))),
    ("wrong_shapes conv_bias", || {
        _ = images4().conv2d_bias(Tensor::ones([3, 4, 2, 2]), Tensor::ones([1]), Conv::new());
    }),
    ("wrong_shapes empty_kernel", || _ = images4().conv2d(Tensor::ones([3, 4, 0, 2]), Conv::new())),
    ("wrong_shapes transpose_channels", || {
        _ = images4().conv_transpose2d(Tensor::ones([3, 4, 2, 2]), Conv::new());
    }),
    ("window_too_large", || {
        _ = images4().conv2d(Tensor::ones([3, 4, 3, 4]), Conv::new().padding([0, 1]).dilation([2, 3]));
    }),
    ("window_too_large", || _ = MaxPool2d::new([2, 7]).forward(&images4())),
    ("window_on_padding", || _ = images4().max_pool2d(MaxPool2d::new(2).padding([0, 2]))),
    ("window_on_padding", || _ = images4().avg_pool2d(AvgPool2d::new(1).padding(1))),
    ("nothing_left", || _ = images4().conv_transpose2d(Tensor::ones([4, 1, 2, 2]), Conv::new().padding(3))),
    ("output_padding", || {
        let options = Conv::new().stride(2).output_padding([0, 2]);
        _ = images4().conv_transpose2d(Tensor::ones([4, 1, 2, 2]), options);
    }),
    ("output_padding", || _ = images4().conv2d(Tensor::ones([1, 4, 2, 2]), Conv::new().output_padding(1))),
    ("layer_groups", || _ = Conv2d::<f32>::grouped(4, 6, 3, 4, Init::He, &mut wengert::rng(0))),
    ("no_images", || _ = variable().sum_over(0).max_pool2d(2)),
    ("no_images", || _ = variable().sum().adaptive_avg_pool1d(1)),
    ("no_image_batch", || _ = variable().unfold2d(2, Conv::new())),
    ("nothing_to_choose", || _ = variable().slice(1, ..0).adaptive_avg_pool2d(1)),
    ("option", || _ = Conv::new().stride([1, 0])),
    ("option", || _ = images4().max_pool2d([2, 0])),
];

/// Two images of four channels.
fn images4() -> Var {
    Tape::new().var(Tensor::ones([2, 4, 5, 6]))
}
