//! What a hook may reach, as it is written on a command line.

use std::{
    collections::BTreeMap,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use http::Uri;
use tidegate_hooks::{
    Endpoint, Entries, Grants, Launch, Manifest, NeedTarget, Phase, Scheme, Server,
};

use crate::failure::Failure;

/// What a plan would grant.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct TargetArgs {
    /// A server of the wave and where it is; once for each.
    #[arg(long = "server", value_name = "ID=ADDR[,ADDR]", value_parser = server)]
    servers: Vec<ServerAt>,
    /// A port of the servers that may be probed, besides those that parameters name.
    #[arg(long = "port", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    ports: Vec<u16>,
    /// A parameter.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = entry)]
    parameters: Vec<(String, String)>,
    /// An endpoint that may be probed: tcp, http or https, with the path that requests begin with.
    #[arg(long = "endpoint", value_name = "NAME=URL", value_parser = endpoint)]
    endpoints: Vec<(String, Endpoint)>,
    /// Networks in which the endpoints' addresses may lie [default: public addresses].
    #[arg(long = "endpoint-cidr", value_name = "CIDR")]
    cidrs: Vec<String>,
    /// Certificates (PEM) that https endpoints' certificates must come from.
    #[arg(long = "endpoint-ca", value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// A server and its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ServerAt {
    id: String,
    addresses: Vec<IpAddr>,
}

impl TargetArgs {
    /// The parameters.
    ///
    /// # Errors
    /// One occurs twice.
    pub(super) fn parameters(&self) -> Result<Entries, Failure> {
        once("--param", self.parameters.iter().cloned())
    }

    /// The wave's servers, sorted by id. After the launch they run.
    pub(super) fn servers(&self, phase: Phase) -> Vec<Server> {
        let mut servers: Vec<Server> = self.servers.iter().map(|at| at.server(phase)).collect();
        servers.sort_by(|one, other| one.id.cmp(&other.id));
        servers
    }

    /// What may be reached: as in a plan, a port that a parameter names is
    /// granted by setting the parameter.
    ///
    /// # Errors
    /// Something occurs twice or cannot be read.
    pub(super) fn grants(&self, manifest: &Manifest) -> Result<Grants, Failure> {
        let parameters = self.parameters()?;
        let mut ports = self.ports.clone();
        for need in &manifest.needs {
            if let NeedTarget::PortParameter(name) = &need.target {
                ports.extend(
                    parameters
                        .get(name)
                        .and_then(|port| port.parse::<u16>().ok()),
                );
            }
        }
        let servers = self
            .servers
            .iter()
            .map(|at| (at.id.clone(), at.addresses.clone()));
        let mut endpoints = once("--endpoint", self.endpoints.iter().cloned())?;
        let ca = self.ca.as_deref().map(read).transpose()?;
        for endpoint in endpoints.values_mut() {
            endpoint.cidrs.clone_from(&self.cidrs);
            if endpoint.scheme == Scheme::Https {
                endpoint.ca_pem = ca.clone().unwrap_or_default();
            }
        }
        Ok(Grants {
            servers: once("--server", servers)?,
            ports,
            endpoints,
        })
    }
}

impl ServerAt {
    fn server(&self, phase: Phase) -> Server {
        let digits = self.id.strip_prefix("s-").unwrap_or(&self.id);
        Server {
            id: self.id.clone(),
            hostname: String::new(),
            launch: match phase {
                Phase::PreWave => Launch::Pending,
                Phase::PostWave => Launch::Launched(format!("i-{digits}")),
            },
            tags: Entries::new(),
            facts: Entries::new(),
        }
    }
}

fn once<V>(
    option: &str,
    pairs: impl Iterator<Item = (String, V)>,
) -> Result<BTreeMap<String, V>, Failure> {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        if map.contains_key(&name) {
            return Err(Failure::Invalid(format!("{option} {name} is given twice")));
        }
        map.insert(name, value);
    }
    Ok(map)
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file)
        .map_err(|error| Failure::Invalid(format!("cannot read {}: {error}", file.display())))
}

fn entry(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("write NAME=VALUE".to_owned()),
    }
}

fn server(text: &str) -> Result<ServerAt, String> {
    let (id, addresses) = entry(text).map_err(|_| "write ID=ADDR or ID=ADDR,ADDR".to_owned())?;
    let address = |text: &str| {
        text.parse::<IpAddr>()
            .map_err(|_| format!("{text:?} is not an IP address"))
    };
    Ok(ServerAt {
        id,
        addresses: addresses
            .split(',')
            .map(address)
            .collect::<Result<_, _>>()?,
    })
}

/// The endpoint of a URL. What its host and path may be is checked where
/// everybody's endpoints are.
fn endpoint(text: &str) -> Result<(String, Endpoint), String> {
    let example = "write for example erp=https://erp.internal:8443/health";
    let (name, url) = entry(text).map_err(|_| example.to_owned())?;
    let uri: Uri = url.parse().map_err(|error| format!("{error}; {example}"))?;
    let (scheme, port) = match uri.scheme_str() {
        Some("tcp") => (Scheme::Tcp, None),
        Some("http") => (Scheme::Http, Some(80)),
        Some("https") => (Scheme::Https, Some(443)),
        Some(_) | None => return Err(format!("it is neither tcp, http nor https; {example}")),
    };
    let host = uri.host().unwrap_or_default();
    let written = match uri.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    if uri.authority().map(|whole| whole.as_str()) != Some(&written) || uri.query().is_some() {
        return Err(format!(
            "a host, a port and a path are all it has; {example}"
        ));
    }
    let port = uri
        .port_u16()
        .or(port)
        .ok_or("a tcp endpoint has a port: tcp://HOST:PORT")?;
    Ok((
        name,
        Endpoint {
            scheme,
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port,
            path_prefix: match (scheme, uri.path()) {
                (Scheme::Tcp, "/") => String::new(),
                (_, path) => path.to_owned(),
            },
            cidrs: Vec::new(),
            ca_pem: String::new(),
            server_name: String::new(),
        },
    ))
}

#[cfg(test)]
mod tests {
    use tidegate_hooks::{Need, ProbeKind, Profile};

    use super::*;

    fn args(parameters: &[&str]) -> TargetArgs {
        TargetArgs {
            servers: vec![
                server("s-2=10.0.0.2,fd00::2").unwrap(),
                server("s-1=10.0.0.1").unwrap(),
            ],
            ports: vec![22],
            parameters: parameters.iter().map(|text| entry(text).unwrap()).collect(),
            endpoints: vec![endpoint("erp=https://[fd00::1]:8443/a").unwrap()],
            cidrs: vec!["fd00::/8".to_owned()],
            ca: None,
        }
    }

    fn manifest() -> Manifest {
        Manifest {
            name: "a".to_owned(),
            version: "1".to_owned(),
            description: String::new(),
            phases: vec![Phase::PostWave],
            profile: Profile::Plain,
            needs: vec![Need {
                probe: ProbeKind::Tcp,
                target: NeedTarget::PortParameter("port".to_owned()),
                reason: "because".to_owned(),
            }],
        }
    }

    #[test]
    fn a_port_that_a_parameter_names_is_granted() {
        let grants = args(&["port=5432", "note=a=b"])
            .grants(&manifest())
            .unwrap();
        assert_eq!(grants.ports, [22, 5432]);
        assert_eq!(grants.servers["s-2"].len(), 2);
        assert_eq!(grants.endpoints["erp"].host, "fd00::1");
        assert_eq!(grants.endpoints["erp"].cidrs, ["fd00::/8"]);
        assert_eq!(args(&[]).grants(&manifest()).unwrap().ports, [22]);
    }

    #[test]
    fn what_is_given_twice_is_refused() {
        let failure = args(&["a=1", "a=2"]).parameters().unwrap_err();
        assert_eq!(failure.to_string(), "--param a is given twice");
    }

    #[test]
    fn servers_are_sorted_and_run_after_the_launch() {
        let servers = args(&[]).servers(Phase::PostWave);
        assert_eq!(servers[0].id, "s-1");
        assert_eq!(servers[0].launch, Launch::Launched("i-1".to_owned()));
        assert_eq!(args(&[]).servers(Phase::PreWave)[1].launch, Launch::Pending);
    }

    #[test]
    fn endpoints_are_urls_without_secrets_and_queries() {
        let read = |url: &str| endpoint(&format!("erp={url}"));
        let (name, http) = read("http://erp.internal").unwrap();
        assert_eq!((name.as_str(), http.port), ("erp", 80));
        assert_eq!(read("tcp://db:5432").unwrap().1.path_prefix, "");
        for url in [
            "",
            "erp.internal",
            "ftp://a/",
            "tcp://db",
            "http://user:word@a/",
            "http://a/?b",
            "http://a:99999/",
        ] {
            assert!(read(url).is_err(), "{url}");
        }
    }

    #[test]
    fn servers_have_addresses_and_not_names() {
        for text in ["", "s-1", "=10.0.0.1", "s-1=", "s-1=db", "s-1=10.0.0.1:80"] {
            assert!(server(text).is_err(), "{text}");
        }
    }
}
