//! wengert の背景にある考え方を、日本語で説明します。どのページも、動機、数式、動かせる短いコード、図からなります。
//!
//! [English](super)
//!
//! 内容は『ゼロから作る Deep Learning』の流れに沿っていて、用語も同書に合わせました。同書を読んだ方は気になるページから、はじめての方は上から順にお読みください。各ページの話題を最後まで扱う例がリポジトリにあり、`cargo run --release --example 名前` とすると、結果を表示し、図を `target/figures` に書き出します。
//!
//! | ページ | 内容 | 例 |
//! |---|---|---|
//! | [パーセプトロン](perceptron) | 1 つのニューロン、XOR、活性化関数 | `00_perceptron` |
//! | [数値微分](numerical_differentiation) | 差分による微分と、その誤差 | `01_numerical_diff` |
//! | [勾配降下法](gradient_descent) | 坂を下る更新と、学習率 | `02_gradient_descent` |
//! | [誤差逆伝播法](backpropagation) | ノードごとの連鎖律 | `03_backprop_nodes` |
//! | [行列の積](matrix_products) | レイヤと形状 | `04_matrix_product` |
//! | [推論](inference) | スコアから予測へ、バッチ処理 | `05_forward` |
//! | [勾配確認](gradient_check) | 数値微分と誤差逆伝播法の突き合わせ | `06_gradient_check` |
//! | [最適化手法](optimizers) | Momentum、AdaGrad、Adam とその変種 | `07_optimizers` |
//! | [バッチサイズ](batch_sizes) | オンライン学習、ミニバッチ、フルバッチ | `08_batch_sizes` |
//! | [重みの初期値](weight_initialization) | Xavier の初期値、He の初期値、スケールの効き目 | `09_weight_init` |
//! | [Batch Normalization](batch_normalization) | アクティベーションのスケールを保つ | `10_batch_norm` |
//! | [過学習](overfitting) | 荷重減衰、Dropout、早期終了 | `11_overfitting` |
//! | [ハイパーパラメータ](hyperparameters) | 検証データによるランダムサーチ | `12_hyperparameters` |
//! | [推薦](recommendation) | 行列分解 | `13_recommend` |
//! | [次元削減](dimensionality_reduction) | オートエンコーダと主成分分析 | `14_autoencoder` |
//! | [2 階微分](second_derivatives) | ニュートン法、ヘッセ行列とベクトルの積 | `15_second_order` |
//! | [学び方を学ぶ](learning_to_learn) | 学習の 1 ステップを微分する | `16_maml` |
//! | [単語の分散表現](word_vectors) | skip-gram と Negative Sampling | `17_word2vec` |
//! | [再帰型ニューラルネットワーク](recurrent_networks) | 隠れ状態、ゲート、長い系列、長さの異なる系列 | `18_char_rnn` |
//! | [Attention](attention) | Encoder と Decoder、マスク、Transformer | `19_seq2seq`、`20_gpt` |
//! | [変分オートエンコーダ](variational_autoencoder) | エビデンス下界、再パラメータ化 | `21_vae` |
//! | [拡散モデル](diffusion) | 少しずつ加えるノイズ、分類器を使わないガイダンス | `22_diffusion` |
//! | [方策勾配法](policy_gradients) | REINFORCE、Actor-Critic、DQN | `23_policy` |
//! | [木構造のネットワーク](tree_networks) | サンプルごとに異なる計算グラフ | `24_tree_net` |
//! | [ネットワークと物理](physics) | ニューラル常微分方程式、物理に基づくネットワーク | `25_physics` |
//! | [間隔反復](spaced_repetition) | 記憶のモデルと、時間をさかのぼる勾配 | `26_spaced_repetition` |
//! | [ガウス過程](gaussian_process) | 行列の計算による、誤差の幅の付いた曲線 | `27_gaussian_process` |
//! | [フィルター](filters) | 行列の積としての畳み込み演算 | `28_filters` |
//! | [独自の演算](custom_operations) | 順伝播と、逆伝播の規則 | `06_gradient_check` |
//! | [保存と再開](saving_and_resuming) | モデルの保存と、1 ビットも違わない再開 | `mnist` |
//! | [勾配の並列計算](parallel_gradients) | スレッド数によらない結果 | `08_batch_sizes` |
//! | [予測の提供](serving) | バッチにまとめた予測、使用中のモデルの差し替え、オンライン学習 | `29_serve` |
//! | [PyTorch から](from_pytorch) | 名前の対応と、違うところ | |
//! | [numpy から](from_numpy) | 名前の対応と、違うところ | |
//! | [『ゼロから作る Deep Learning』から](from_the_book) | 章ごとの対応と、本のコードとの違い | |
//! | [PyTorch の重みを読み込む](loading_weights) | PyTorch で学習したモデルを使う | |
//!
//! # 例の結果と、必要な時間とメモリ
//!
//! 設定は既定値です。秒は、2 つのスレッドを合わせたプロセッサ時間です。MB は、常駐メモリの最大値です。ほかのプログラムも動いているマシンで測定したので、空いているマシンではもっと速くなります。
//!
//! | 例 | 結果 | 秒 | MB |
//! |---|---|---|---|
//! | `00_perceptron` | 隠れ層のニューロンが 2 個なら 100 回中 70 回、8 個なら 100 回とも XOR を学習 | 4.3 | 5 |
//! | `17_word2vec` | 近い単語の 77% が同じ分類（無作為なら 13%） | 12 | 380 |
//! | `18_char_rnn` | 600 ステップの LSTM は、評価用の文章で 1 文字あたり 1.97 ビット（6-gram は 1.83） | 21 | 130 |
//! | `19_seq2seq` | 日付の 99.9% を誤りなく変換（Attention あり） | 6.0 | 298 |
//! | `20_gpt` | 小さなモデルの 800 ステップで、評価用の文章の損失は 1 文字あたり 2.90 nat | 11 | 41 |
//! | `21_vae` | 1 画像あたりのエビデンス下界 −145.4 nat（ピクセルが独立なら −205.9） | 17 | 473 |
//! | `22_diffusion` | 生成した数字の認識率 0.850、ガイダンス 3 では 1.000 | 22 | 334 |
//! | `23_policy` | 5 つのシードのうち REINFORCE は 5、Actor-Critic は 4、DQN は 3 で成功 | 14 | 24 |
//! | `24_tree_net` | 深さ 4 までで学習し、深さ 10 の式の 95.0% に正答（LSTM は 32.5%） | 10 | 486 |
//! | `25_physics` | ノイズのある測定値から求めた熱伝導率 0.0981（正解は 0.1） | 2.1 | 8 |
//! | `26_spaced_repetition` | 学習に使わないカードの対数損失 0.5009（下限は 0.5003） | 2.7 | 43 |
//! | `27_gaussian_process` | 勾配の誤差 1.2e-9、95% の幅に新しい点の 96.9% | 0.03 | 12 |
//! | `28_filters` | 畳み込み 1 層で認識精度 0.9817 | 3.4 | 121 |
//! | `29_serve` | 白黒を反転した数字の認識精度が、リクエストからの学習で 0.043 から 0.49〜0.81 に（5 回。届くタイミングによる） | 6.6 | 103 |
//! | `mnist_deep` | 認識精度 0.9952 | 131 | 425 |

pages! {
    "../../docs/guide/ja/", "[English](crate::guide::":

    perceptron, "パーセプトロン", "00_perceptron";
    numerical_differentiation, "数値微分", "01_numerical_diff";
    gradient_descent, "勾配降下法", "02_gradient_descent";
    backpropagation, "誤差逆伝播法", "03_backprop_nodes";
    matrix_products, "行列の積", "04_matrix_product";
    inference, "推論", "05_throughput";
    gradient_check, "勾配確認", "06_gradient_check";
    optimizers, "最適化手法", "07_paths";
    batch_sizes, "バッチサイズ", "08_batch_sizes";
    weight_initialization, "重みの初期値", "09_weight_init_relu";
    batch_normalization, "Batch Normalization", "10_large_rates";
    overfitting, "過学習", "11_overfitting";
    hyperparameters, "ハイパーパラメータ", "12_hyperparameters";
    recommendation, "推薦", "13_recommend";
    dimensionality_reduction, "次元削減", "14_autoencoder";
    second_derivatives, "2 階微分", "15_rosenbrock";
    learning_to_learn, "学び方を学ぶ", "16_adaptation";
    word_vectors, "単語の分散表現", "17_word2vec";
    recurrent_networks, "再帰型ニューラルネットワーク", "18_char_rnn";
    attention, "Attention", "19_seq2seq";
    variational_autoencoder, "変分オートエンコーダ", "21_vae";
    diffusion, "拡散モデル", "22_diffusion";
    policy_gradients, "方策勾配法", "23_policy";
    tree_networks, "木構造のネットワーク", "24_tree_net";
    physics, "ネットワークと物理", "25_physics";
    spaced_repetition, "間隔反復", "26_spaced_repetition";
    gaussian_process, "ガウス過程", "27_gaussian_process";
    filters, "フィルター", "28_filters";
    custom_operations, "独自の演算";
    saving_and_resuming, "保存と再開";
    parallel_gradients, "勾配の並列計算";
    serving, "予測の提供";
    from_pytorch, "PyTorch から";
    from_numpy, "numpy から";
    from_the_book, "『ゼロから作る Deep Learning』から";
    loading_weights, "PyTorch の重みを読み込む";
}
