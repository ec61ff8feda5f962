//! The way to the gateway: address, TLS, and what happens when it is not there.

use std::{error::Error as _, fs, path::PathBuf, time::Duration};

use tidegate_proto::v1::{
    execution_service_client::ExecutionServiceClient, gateway_service_client::GatewayServiceClient,
    hook_service_client::HookServiceClient, plan_service_client::PlanServiceClient,
};
use tonic::{
    Code, Response, Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tonic_types::StatusExt as _;
use ulid::Ulid;

use crate::{command_line::CommandLine, failure::Failure};

/// Where `tidegate serve` listens unless it is told otherwise.
pub(crate) const DEFAULT_ADDRESS: &str = "http://127.0.0.1:7070";

/// The waits before each further try when no answer came. The request id stays
/// the same, so a request that did arrive is not done twice.
const RETRIES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(900),
    Duration::from_millis(2_700),
];

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A snapshot of a plan of 5,000 servers is above tonic's default of 4 MiB.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// How to find the gateway.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectArgs {
    /// The gateway's address.
    #[arg(long, env = "TIDEGATE_ADDRESS", value_name = "URL", default_value = DEFAULT_ADDRESS, global = true)]
    pub(crate) address: String,
    /// Certificates (PEM) that the gateway's certificate must come from [default: the system's].
    #[arg(long, env = "TIDEGATE_TLS_CA", value_name = "FILE", global = true)]
    pub(crate) tls_ca: Option<PathBuf>,
    /// This side's certificate (PEM).
    #[arg(long, env = "TIDEGATE_TLS_CERT", value_name = "FILE", global = true)]
    pub(crate) tls_cert: Option<PathBuf>,
    /// This side's key (PEM).
    #[arg(long, env = "TIDEGATE_TLS_KEY", value_name = "FILE", global = true)]
    pub(crate) tls_key: Option<PathBuf>,
}

/// The identity of one request.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RequestId {
    /// Identifies this request; the same id again returns the first answer [default: a fresh one].
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
}

impl RequestId {
    /// The id that was given, or a fresh one.
    pub(crate) fn get(self) -> String {
        self.request_id.unwrap_or_else(fresh_request_id)
    }
}

/// An id that no other request has.
pub(crate) fn fresh_request_id() -> String {
    Ulid::new().to_string()
}

/// A gateway, connected to when it is first asked.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    channel: Channel,
    address: String,
    commands: CommandLine,
}

impl Gateway {
    /// Prepares the connection.
    ///
    /// # Errors
    /// The address or a TLS file is not usable.
    pub(crate) fn new(args: &ConnectArgs) -> Result<Self, Failure> {
        Ok(Self {
            channel: endpoint(args)?.connect_lazy(),
            address: args.address.clone(),
            commands: CommandLine::new(args),
        })
    }

    /// Plain HTTP at an address.
    ///
    /// # Errors
    /// The address is not usable.
    pub(crate) fn plain(address: &str) -> Result<Self, Failure> {
        Self::new(&ConnectArgs {
            address: address.to_owned(),
            tls_ca: None,
            tls_cert: None,
            tls_key: None,
        })
    }

    /// Spells commands for this gateway.
    pub(crate) fn commands(&self) -> &CommandLine {
        &self.commands
    }

    /// Its plans.
    pub(crate) fn plans(&self) -> PlanServiceClient<Channel> {
        PlanServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Its executions.
    pub(crate) fn executions(&self) -> ExecutionServiceClient<Channel> {
        ExecutionServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Its hooks.
    pub(crate) fn hooks(&self) -> HookServiceClient<Channel> {
        HookServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Itself.
    pub(crate) fn itself(&self) -> GatewayServiceClient<Channel> {
        GatewayServiceClient::new(self.channel.clone())
    }

    /// Asks once, and again while no answer comes.
    ///
    /// # Errors
    /// The gateway's refusal, or that it cannot be reached.
    pub(crate) async fn ask<Answer>(
        &self,
        call: impl AsyncFnMut() -> Result<Response<Answer>, Status>,
    ) -> Result<Answer, Failure> {
        self.ask_within(PATIENCE, call).await
    }

    /// The same, if an answer may take longer.
    ///
    /// # Errors
    /// The gateway's refusal, or that it cannot be reached.
    pub(crate) async fn ask_within<Answer>(
        &self,
        patience: Duration,
        mut call: impl AsyncFnMut() -> Result<Response<Answer>, Status>,
    ) -> Result<Answer, Failure> {
        let mut waits = RETRIES.iter();
        loop {
            let status = match tokio::time::timeout(patience, call()).await {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) => status,
                Err(_) => Status::unavailable(format!("no answer within {} s", patience.as_secs())),
            };
            match waits.next() {
                Some(wait) if is_unanswered(&status) => tokio::time::sleep(*wait).await,
                _ => return Err(self.failure(status)),
            }
        }
    }

    /// A status as a failure of this program.
    pub(crate) fn failure(&self, status: Status) -> Failure {
        // A gateway that says why it cannot is no gateway that is not there.
        let is_told = status.get_details_error_info().is_some();
        if is_unanswered(&status) && !is_told {
            Failure::Unreachable {
                address: self.address.clone(),
                reason: root_cause(&status),
            }
        } else {
            Failure::Refused {
                status: Box::new(status),
                commands: self.commands.clone(),
            }
        }
    }
}

/// Whether the gateway said nothing: the status was made on this side, or the
/// gateway asks to come again.
pub(crate) fn is_unanswered(status: &Status) -> bool {
    status.code() == Code::Unavailable || (status.source().is_some() && status.code() != Code::Ok)
}

/// The innermost reason: "connection refused", not "transport error".
pub(crate) fn root_cause(status: &Status) -> String {
    let Some(mut cause) = status.source() else {
        return status.message().to_owned();
    };
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn endpoint(args: &ConnectArgs) -> Result<Endpoint, Failure> {
    let not_an_address = |why: String| {
        Failure::Invalid(format!(
            "{:?} is not an address ({why}); write for example {DEFAULT_ADDRESS}",
            args.address
        ))
    };
    let endpoint = Endpoint::from_shared(args.address.clone())
        .map_err(|error| not_an_address(error.to_string()))?;
    if !matches!(endpoint.uri().scheme_str(), Some("http" | "https")) {
        return Err(not_an_address(
            "it begins with neither http:// nor https://".to_owned(),
        ));
    }
    let endpoint = endpoint
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    if endpoint.uri().scheme_str() != Some("https") {
        return Ok(endpoint);
    }
    endpoint
        .tls_config(tls(args)?)
        .map_err(|error| Failure::Invalid(format!("the TLS settings are not usable: {error}")))
}

fn tls(args: &ConnectArgs) -> Result<ClientTlsConfig, Failure> {
    let mut tls = ClientTlsConfig::new();
    tls = match &args.tls_ca {
        Some(file) => tls.ca_certificate(Certificate::from_pem(pem(file)?)),
        None => tls.with_native_roots(),
    };
    match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Ok(tls.identity(Identity::from_pem(pem(cert)?, pem(key)?))),
        (None, None) => Ok(tls),
        _ => Err(Failure::Invalid(
            "--tls-cert and --tls-key are given together or not at all".to_owned(),
        )),
    }
}

fn pem(file: &PathBuf) -> Result<Vec<u8>, Failure> {
    fs::read(file)
        .map_err(|error| Failure::Other(format!("cannot read {}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gateway_that_is_not_there_is_unreachable() {
        // Port 1 of the loopback address has no listener.
        let gateway = Gateway::plain("http://127.0.0.1:1").unwrap();
        let mut tries = 0;
        tokio::time::pause();
        let failure = gateway
            .ask(async || {
                tries += 1;
                let request = tidegate_proto::v1::GetGatewayInfoRequest {};
                gateway.itself().get_gateway_info(request).await
            })
            .await
            .unwrap_err();
        assert!(matches!(failure, Failure::Unreachable { .. }), "{failure}");
        assert_eq!(tries, 1 + RETRIES.len());
    }

    #[tokio::test]
    async fn a_refusal_is_not_asked_again() {
        let gateway = Gateway::plain("http://127.0.0.1:1").unwrap();
        let mut tries = 0;
        let failure = gateway
            .ask(async || -> Result<Response<()>, Status> {
                tries += 1;
                Err(Status::not_found("no"))
            })
            .await
            .unwrap_err();
        assert!(matches!(failure, Failure::Refused { .. }));
        assert_eq!(tries, 1);
    }

    #[tokio::test]
    async fn a_gateway_that_says_why_it_cannot_is_heard() {
        let gateway = Gateway::plain("http://127.0.0.1:1").unwrap();
        let details = tonic_types::ErrorDetails::with_error_info(
            "HOOKS_UNAVAILABLE",
            "tidegate.dev",
            std::collections::HashMap::new(),
        );
        let code = Code::Unavailable;
        let told = Status::with_error_details(code, "no compiler", details);
        let failure = gateway.failure(told);
        assert_eq!(failure.exit(), crate::failure::Exit::Unreachable);
        assert!(failure.to_string().contains("no compiler"), "{failure}");
        assert!(matches!(failure, Failure::Refused { .. }), "{failure}");
    }

    #[test]
    fn an_address_has_a_scheme() {
        for address in ["localhost:7070", "ftp://a", ""] {
            let failure = Gateway::plain(address).unwrap_err();
            assert!(
                matches!(failure, Failure::Invalid(_)),
                "{address}: {failure}"
            );
        }
    }

    #[test]
    fn half_an_identity_is_refused() {
        let args = ConnectArgs {
            address: "https://127.0.0.1:1".to_owned(),
            tls_ca: None,
            tls_cert: Some("a".into()),
            tls_key: None,
        };
        assert!(matches!(endpoint(&args), Err(Failure::Invalid(_))));
    }
}
