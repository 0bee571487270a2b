//! Where the metrics of a count are.

use crate::cli::CountArgs;
use crate::commands::session::Session;
use crate::count::metrics::gathered::Metrics;
use crate::count::metrics::server;
use crate::kafka::client::settings::librdkafka_version;
use crate::system::host;
use crate::terminal::Screen;
use anyhow::Result;

/// Serves the metrics, if the command line asks for it; before the count, so that its start can be seen.
pub fn serve(arguments: &CountArgs, session: &Session) -> Result<Option<Metrics>> {
    let Some(at) = arguments.operation.metrics else { return Ok(None) };
    let metrics = Metrics::new(host::program(librdkafka_version()));
    let at = server::serve(&metrics, at)?;
    Screen { to_stderr: true, ..session.screen }.say(format!("metrics: http://{at}/metrics"));
    Ok(Some(metrics))
}
