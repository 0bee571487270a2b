//! Serves the metrics and the health of a count by HTTP.

use crate::count::metrics::exposition::CONTENT_TYPE;
use crate::count::metrics::gathered::Metrics;
use crate::system::fault::planted;
use anyhow::{Context as _, Result, anyhow};
use std::io::Cursor;
use std::net::SocketAddr;
use std::thread::Builder;
use tiny_http::{Header, Method, Request, Response, Server};
use tracing::warn;

const TEXT: &str = "text/plain; charset=utf-8";

/// What there is.
const INDEX: &str = "kuu: /metrics has OpenMetrics; /health is 200, or 503 in a setback\n";

/// Serves these metrics at `/metrics`, and the health at `/health`, until the process ends; returns the address.
///
/// # Errors
/// If the address cannot be had.
pub fn serve(metrics: &Metrics, at: SocketAddr) -> Result<SocketAddr> {
    let server = Server::http(at).map_err(|error| {
        anyhow!("metrics cannot be served at {at}: {error}: see who has the port, or name another one with --metrics")
    })?;
    let address = server.server_addr().to_ip().unwrap_or(at);
    let metrics = metrics.clone();
    let answer = move || {
        planted("metrics");
        loop {
            match server.recv() {
                Ok(request) => respond(request, &metrics),
                Err(error) => {
                    warn!(target: "kuu", event = "metrics", "metrics are served no longer: {error}: start kuu again");
                    return;
                }
            }
        }
    };
    // The thread is not joined: it waits for requests until the process ends.
    Builder::new().name("metrics".into()).spawn(answer).context("a thread cannot be started")?;
    Ok(address)
}

fn respond(request: Request, metrics: &Metrics) {
    let path = request.url().split('?').next().unwrap_or_default();
    let (status, content_type, text) = match request.method() {
        Method::Get | Method::Head => page(path, metrics),
        _ => (405, TEXT, "only GET and HEAD\n".into()),
    };
    let mut response = Response::new(status.into(), Vec::new(), Cursor::new(text.clone()), Some(text.len()), None);
    let headers = [("Content-Type", content_type), ("Cache-Control", "no-store"), ("Allow", "GET, HEAD")];
    for (name, value) in headers.into_iter().filter(|(name, _)| *name != "Allow" || status == 405) {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    // A client that went away is no error of the count.
    let _ = request.respond(response);
}

/// The status, the type and the text of a page.
pub(super) fn page(path: &str, metrics: &Metrics) -> (u16, &'static str, String) {
    match (path, metrics.setback()) {
        ("/metrics", _) => match metrics.text() {
            Ok(text) => (200, CONTENT_TYPE, text),
            Err(error) => (500, TEXT, format!("{error}\n")),
        },
        ("/health", None) => (200, TEXT, "fine\n".into()),
        ("/health", Some(why)) => (503, TEXT, format!("goes back to the last commit: {why}\n")),
        ("/", _) => (200, TEXT, INDEX.into()),
        _ => (404, TEXT, INDEX.into()),
    }
}
