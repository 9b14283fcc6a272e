//! The requests and their answers.

use crate::support::serve::classifier::PIXELS;
use crate::support::serve::models::{Example, Job, Models};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde_json::{Value, json};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::{task, time};

/// The most bytes of a body: an image has 3 kB.
const MAX_BODY: usize = 1 << 16;
/// How long a client may take to send its headers, and its body.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many requests may wait. Further ones are told to try again.
const QUEUE: usize = 1024;
/// How often the server looks whether the file of the model has changed.
const INTERVAL: Duration = Duration::from_millis(500);

/// Stops a server from another thread.
#[derive(Clone, Default)]
pub struct Stop(Arc<Notify>);

impl Stop {
    /// Asks the server to answer what it has received, and to end.
    pub fn request(&self) {
        self.0.notify_one();
    }
}

/// A server that listens, and does not answer yet.
pub struct Server {
    listener: TcpListener,
    models: Arc<Models>,
    stop: Stop,
}

/// What the requests share.
struct State {
    models: Arc<Models>,
    jobs: SyncSender<Job>,
    examples: SyncSender<Example>,
    stop: Stop,
}

/// The status and the body of an answer.
type Answer = (StatusCode, Value);

impl Server {
    /// Listens on this machine alone, on any free port if the number is 0.
    pub fn bind(port: u16, models: Arc<Models>, stop: Stop) -> Result<Self, Box<dyn Error>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
        listener.set_nonblocking(true)?;
        Ok(Server { listener, models, stop })
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("it listens")
    }

    /// Answers requests until it is asked to stop, and then those that have arrived.
    pub fn run(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Server { listener, models, stop } = self;
        let (jobs, waiting_jobs) = sync_channel(QUEUE);
        let (examples, waiting_examples) = sync_channel(QUEUE);
        let state = Arc::new(State { models: Arc::clone(&models), jobs, examples, stop });
        thread::scope(|scope| {
            // They end when the state with its senders is dropped, after all that was sent is done.
            scope.spawn(|| models.predict(waiting_jobs));
            scope.spawn(|| models.learn(waiting_examples));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(serve(listener, state))
        })
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let connections = Arc::new(GracefulShutdown::new());
    let accepting = task::spawn(accept(listener, Arc::clone(&state), Arc::clone(&connections)));
    let following = task::spawn(follow_file(Arc::clone(&state.models)));
    state.stop.0.notified().await;
    following.abort();
    accepting.abort();
    let _ = accepting.await;
    let connections = Arc::into_inner(connections).expect("the task that shared it has ended");
    // Idle connections are closed at once, the others after their answer.
    let _ = time::timeout(PATIENCE, connections.shutdown()).await;
    Ok(())
}

async fn accept(listener: tokio::net::TcpListener, state: Arc<State>, connections: Arc<GracefulShutdown>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Such as too many open files: some will be closed.
            time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(request, Arc::clone(&state)));
        // A connection that breaks is the client's matter.
        task::spawn(connections.watch(http.serve_connection(TokioIo::new(stream), service)));
    }
}

/// Loads the model again each time its file has changed.
async fn follow_file(models: Arc<Models>) {
    loop {
        time::sleep(INTERVAL).await;
        if models.file_has_changed()
            && let Err(error) = reload(&models).await
        {
            eprintln!("warning: the model stays, because {error}");
        }
    }
}

/// Reading and checking a model takes long, and must not delay answers.
async fn reload(models: &Arc<Models>) -> Result<usize, Box<dyn Error + Send + Sync>> {
    let models = Arc::clone(models);
    task::spawn_blocking(move || models.reload()).await?
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (status, body) = respond(request, &state).await.unwrap_or_else(|refusal| refusal);
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    Ok(response.body(Full::from(body.to_string() + "\n")).expect("status and header are valid"))
}

fn refusal(status: StatusCode, what: &str, expected: &str, found: &str) -> Answer {
    (status, json!({ "error": format!("{what}: expected {expected}, found {found}") }))
}

async fn respond(request: Request<Incoming>, state: &State) -> Result<Answer, Answer> {
    let path = request.uri().path().to_string();
    let expected = match &*path {
        "/status" => Method::GET,
        "/predict" | "/learn" | "/reload" | "/shutdown" => Method::POST,
        _ => {
            let paths = "/status, /predict, /learn, /reload or /shutdown";
            return Err(refusal(StatusCode::NOT_FOUND, "path", paths, &path));
        }
    };
    if request.method() != expected {
        let found = request.method().as_str();
        return Err(refusal(StatusCode::METHOD_NOT_ALLOWED, "method", expected.as_str(), found));
    }
    match &*path {
        "/predict" => predict(&read(request).await?, state).await,
        "/learn" => learn(&read(request).await?, state),
        "/reload" => match reload(&state.models).await {
            Ok(number) => Ok((StatusCode::OK, json!({ "model": number }))),
            Err(error) => Err((StatusCode::CONFLICT, json!({ "error": format!("the model stays: {error}") }))),
        },
        "/shutdown" => {
            state.stop.request();
            Ok((StatusCode::OK, json!({ "stopping": true })))
        }
        _ => {
            let [predictions, batches] = state.models.counts();
            let model = state.models.current().number;
            Ok((StatusCode::OK, json!({ "model": model, "predictions": predictions, "batches": batches })))
        }
    }
}

/// The JSON in the body of a request.
async fn read(request: Request<Incoming>) -> Result<Value, Answer> {
    let too_long =
        |found: &str| refusal(StatusCode::PAYLOAD_TOO_LARGE, "body", &format!("at most {MAX_BODY} bytes"), found);
    let size = request.body().size_hint().lower();
    if size > MAX_BODY as u64 {
        return Err(too_long(&size.to_string()));
    }
    let bytes = match time::timeout(PATIENCE, Limited::new(request.into_body(), MAX_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_long("more")),
        Ok(Err(error)) => return Err(refusal(StatusCode::BAD_REQUEST, "body", "all of it", &error.to_string())),
        Err(_) => return Err(refusal(StatusCode::REQUEST_TIMEOUT, "body", "all of it within 10 s", "a part")),
    };
    serde_json::from_slice(&bytes)
        .map_err(|error| refusal(StatusCode::BAD_REQUEST, "body", "JSON", &format!("an error: {error}")))
}

/// The pixels of an image.
fn pixels(body: &Value) -> Result<Vec<u8>, Answer> {
    let bad = |what: &str, found: &str| {
        let expected = format!("{PIXELS} integers from 0 to 255, row by row");
        refusal(StatusCode::BAD_REQUEST, what, &expected, found)
    };
    let pixels = match body.get("pixels") {
        Some(Value::Array(pixels)) => pixels,
        Some(other) => return Err(bad("pixels", &shown(other))),
        None => return Err(bad("pixels", "no such field")),
    };
    if pixels.len() != PIXELS {
        return Err(bad("pixels", &pixels.len().to_string()));
    }
    let byte = |(k, pixel): (usize, &Value)| {
        let byte = pixel.as_u64().and_then(|byte| u8::try_from(byte).ok());
        byte.ok_or_else(|| bad(&format!("pixels[{k}]"), &shown(pixel)))
    };
    pixels.iter().enumerate().map(byte).collect()
}

/// The beginning of a value.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    let begin: String = text.chars().take(40).collect();
    if begin == text { text } else { begin + "…" }
}

async fn predict(body: &Value, state: &State) -> Result<Answer, Answer> {
    let (reply, prediction) = oneshot::channel();
    send(&state.jobs, Job { pixels: pixels(body)?, reply })?;
    let Ok(prediction) = prediction.await else {
        return Err((StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": "the prediction failed" })));
    };
    let ranked = prediction.probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let class = ranked.map(|(class, _)| class);
    let body = json!({ "class": class, "probabilities": prediction.probabilities, "model": prediction.model });
    Ok((StatusCode::OK, body))
}

fn learn(body: &Value, state: &State) -> Result<Answer, Answer> {
    let label = match body.get("label").and_then(Value::as_u64) {
        Some(label @ 0..=9) => label as usize,
        _ => {
            let found = body.get("label").map_or("no such field".into(), shown);
            return Err(refusal(StatusCode::BAD_REQUEST, "label", "an integer from 0 to 9", &found));
        }
    };
    send(&state.examples, Example { pixels: pixels(body)?, label })?;
    Ok((StatusCode::ACCEPTED, json!({ "learning": true })))
}

/// Puts something into a queue. A full one means that the machine is too slow for the clients, which must know.
fn send<T>(queue: &SyncSender<T>, item: T) -> Result<(), Answer> {
    queue.try_send(item).map_err(|error| match error {
        TrySendError::Full(_) => {
            let found = format!("{QUEUE}; try again");
            refusal(StatusCode::SERVICE_UNAVAILABLE, "queue", "fewer waiting requests", &found)
        }
        TrySendError::Disconnected(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": "the thread for this has failed" }))
        }
    })
}
