//! The workloads in candle.

use candle_core::backprop::GradStore;
use candle_core::{D, DType, Device, Module, ModuleT, Result, Tensor, Var};
use candle_nn::{self as nn, Optimizer, VarBuilder, VarMap};
use peers::{Arguments, epochs, on_a_large_stack, report};
use std::cell::RefCell;

enum Optim {
    Sgd(nn::SGD),
    AdamW(nn::AdamW),
    /// candle has no momentum: written in tensor operations, as a user would.
    Momentum(Vec<(Var, Tensor)>),
}

impl Optim {
    fn sgd(variables: &VarMap, rate: f64) -> Result<Self> {
        Ok(Optim::Sgd(nn::SGD::new(variables.all_vars(), rate)?))
    }

    fn adam(variables: Vec<Var>, weight_decay: f64) -> Result<Self> {
        let options = nn::ParamsAdamW { lr: 1e-3, weight_decay, ..Default::default() };
        Ok(Optim::AdamW(nn::AdamW::new(variables, options)?))
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        match self {
            Optim::Sgd(optimizer) => optimizer.step(gradients),
            Optim::AdamW(optimizer) => optimizer.step(gradients),
            Optim::Momentum(states) => {
                for (variable, momentum) in states {
                    if let Some(gradient) = gradients.get(variable) {
                        *momentum = ((&*momentum * 0.9)? + gradient)?;
                        variable.set(&variable.sub(&(&*momentum * 0.01)?)?)?;
                    }
                }
                Ok(())
            }
        }
    }
}

type Forward = Box<dyn Fn(&Tensor, bool) -> Result<Tensor>>;

fn mlp(builder: &VarBuilder, sizes: &[usize], activated: bool) -> Result<Forward> {
    let pairs = sizes.windows(2).enumerate();
    let layers: Result<Vec<_>> = pairs.map(|(k, pair)| nn::linear(pair[0], pair[1], builder.pp(k))).collect();
    let layers = layers?;
    Ok(Box::new(move |x, _| {
        layers.iter().enumerate().try_fold(x.clone(), |h, (k, layer)| {
            let h = layer.forward(&h)?;
            if activated || k + 1 < layers.len() { h.relu() } else { Ok(h) }
        })
    }))
}

fn normalized(builder: &VarBuilder) -> Result<Forward> {
    let block =
        |k: usize, inputs| Ok((nn::linear(inputs, 512, builder.pp(k))?, nn::batch_norm(512, 1e-5, builder.pp(k + 2))?));
    let blocks: [Result<_>; 2] = [block(0, 784), block(1, 512)];
    let [first, second] = blocks;
    let (blocks, output) = ([first?, second?], nn::linear(512, 10, builder.pp("output"))?);
    Ok(Box::new(move |x, training| {
        let hidden = blocks.iter().try_fold(x.clone(), |h, (linear, norm)| {
            let h = norm.forward_t(&linear.forward(&h)?, training)?.relu()?;
            if training { nn::ops::dropout(&h, 0.5) } else { Ok(h) }
        });
        output.forward(&hidden?)
    }))
}

fn convolutional(builder: &VarBuilder) -> Result<Forward> {
    let first = nn::conv2d(1, 32, 3, Default::default(), builder.pp("first"))?;
    let second = nn::conv2d(32, 64, 3, Default::default(), builder.pp("second"))?;
    let (hidden, output) = (nn::linear(1600, 128, builder.pp("hidden"))?, nn::linear(128, 10, builder.pp("output"))?);
    Ok(Box::new(move |x, _| {
        let x = x.reshape(((), 1, 28, 28))?;
        let h = first.forward(&x)?.relu()?.max_pool2d(2)?;
        let h = second.forward(&h)?.relu()?.max_pool2d(2)?;
        output.forward(&hidden.forward(&h.flatten_from(1)?)?.relu()?)
    }))
}

fn network(arguments: &Arguments, variables: &VarMap) -> Result<(Forward, Optim)> {
    let builder = VarBuilder::from_varmap(variables, DType::F32, &Device::Cpu);
    Ok(match arguments.workload.as_str() {
        "w1" => (mlp(&builder, &[784, 50, 10], false)?, Optim::sgd(variables, 0.1)?),
        "w2" | "epochs" => (mlp(&builder, &[784, 256, 128, 10], false)?, Optim::adam(variables.all_vars(), 0.0)?),
        "w3" => {
            let forward = normalized(&builder)?;
            // The running statistics are variables too, but not the optimizer's.
            let all = variables.data().lock().expect("not poisoned");
            let trained = all.iter().filter(|(name, _)| !name.contains("running"));
            (forward, Optim::adam(trained.map(|(_, variable)| variable.clone()).collect(), 1e-4)?)
        }
        "w4" => {
            let forward = mlp(&builder, &[784, 2048, 2048, 10], false)?;
            let states: Result<_> =
                variables.all_vars().into_iter().map(|v| Ok((v.clone(), v.zeros_like()?))).collect();
            (forward, Optim::Momentum(states?))
        }
        "w5" => (convolutional(&builder)?, Optim::adam(variables.all_vars(), 0.0)?),
        _ => {
            let [width, _, depth] = arguments.sizes().unwrap_or([32, 0, 64]);
            (mlp(&builder, &vec![width; depth + 1], true)?, Optim::sgd(variables, 0.01)?)
        }
    })
}

fn chain(arguments: &Arguments) -> Result<()> {
    let number = |value: f32| Var::from_vec(vec![value], 1, &Device::Cpu);
    let (x, a, b, last) = (number(1.0)?, number(0.9999)?, number(1e-4)?, RefCell::new(0.0));
    let step = || {
        let mut y = x.as_tensor().clone();
        for _ in 0..5000 {
            y = y.mul(&a)?.add(&b)?;
        }
        let gradients = y.backward()?;
        *last.borrow_mut() = f64::from(gradients.get(&a).expect("a gradient").to_vec1::<f32>()?[0]);
        Ok::<(), candle_core::Error>(())
    };
    arguments.measure(|_| step().expect("a step"), || *last.borrow());
    Ok(())
}

fn train(arguments: &Arguments) -> Result<()> {
    let variables = VarMap::new();
    let (forward, mut optimizer) = network(arguments, &variables)?;
    let (data, size) = (arguments.train(), arguments.batch());
    let samples = data.labels.len();
    let images = Tensor::from_vec(data.images, (samples, ()), &Device::Cpu)?;
    let labels = Tensor::from_vec(data.labels.into_iter().map(u32::from).collect(), samples, &Device::Cpu)?;
    let last = RefCell::new(labels.clone());
    let mut step = |images: Tensor, labels: Tensor| {
        let loss = nn::loss::cross_entropy(&forward(&images, true)?, &labels)?;
        optimizer.step(&loss.backward()?)?;
        *last.borrow_mut() = loss;
        Ok::<(), candle_core::Error>(())
    };
    if arguments.workload != "epochs" {
        let mut batch = |k: usize| {
            let start = k % (samples / size) * size;
            step(images.narrow(0, start, size)?, labels.narrow(0, start, size)?)
        };
        let loss = || f64::from(last.borrow().to_scalar::<f32>().expect("a number"));
        arguments.measure(|k| batch(k).expect("a step"), loss);
        return Ok(());
    }
    for order in epochs(samples) {
        for rows in order.chunks_exact(size) {
            let rows = Tensor::from_slice(rows, size, &Device::Cpu)?;
            step(images.index_select(&rows, 0)?, labels.index_select(&rows, 0)?)?;
        }
    }
    let test = arguments.test();
    let scores = forward(&Tensor::from_vec(test.images, (test.labels.len(), 784), &Device::Cpu)?, false)?;
    let guesses = scores.argmax(D::Minus1)?.to_vec1::<u32>()?;
    let right = guesses.iter().zip(&test.labels).filter(|(guess, label)| **guess == u32::from(**label)).count();
    report(right as f64 / test.labels.len() as f64);
    Ok(())
}

fn main() {
    on_a_large_stack(|| {
        let arguments = Arguments::read();
        let run = if arguments.workload == "w6" { chain } else { train };
        run(&arguments).expect("candle carries it out");
    });
}
