//! What no probe of an endpoint can ever reach, as far as its text tells. A
//! name may come to any address, which is judged when it is probed.

use std::net::SocketAddr;

use thiserror::Error;

use super::{CheckedEndpoint, Cidr, host::Host};
use crate::{Rule, Setting, Subject, judge, judge_network};

/// Something that an endpoint grants in vain.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unreachable {
    /// The host is an address, or a name of this machine, and every probe of
    /// it would be denied.
    #[error("`{host}` is never probed (rule {rule}); {}", advice(*.rule))]
    Host {
        /// As it was written.
        host: String,
        /// Why.
        rule: Rule,
    },
    /// A listed network holds no address that may be reached.
    #[error(
        "`{network}` holds no address that is ever probed (rule {rule}); take it out, no plan \
         can allow it"
    )]
    Cidr {
        /// Its place in the list, from 0.
        index: usize,
        /// The network.
        network: Cidr,
        /// Why its first address is not reached.
        rule: Rule,
    },
}

impl CheckedEndpoint {
    /// Everything in it that is granted in vain where this setting holds.
    #[must_use]
    pub fn unreachable(&self, setting: Setting) -> Vec<Unreachable> {
        let host = self.judge_host(setting).err().map(|rule| {
            let host = self.host.to_string();
            Unreachable::Host { host, rule }
        });
        let cidrs = self.cidrs.iter().enumerate();
        let cidrs = cidrs.filter_map(|(index, &network)| {
            let rule = judge_network(setting, network).err()?;
            Some(Unreachable::Cidr {
                index,
                network,
                rule,
            })
        });
        host.into_iter().chain(cidrs).collect()
    }

    fn judge_host(&self, setting: Setting) -> Result<(), Rule> {
        match &self.host {
            Host::Address(address) => {
                let address = SocketAddr::new(*address, self.port);
                judge(setting, address, Subject::Endpoint(&self.cidrs))
            }
            Host::Name(name) if is_this_machine(name) => match setting {
                Setting::Production => Err(Rule::Loopback),
                Setting::Development => Ok(()),
            },
            Host::Name(_) => Ok(()),
        }
    }
}

/// These names mean loopback everywhere (RFC 6761).
fn is_this_machine(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn advice(rule: Rule) -> &'static str {
    if rule.is_grantable() {
        "list a network around it in cidrs"
    } else {
        "no plan can allow it"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, Scheme};

    fn found(setting: Setting, host: &str, cidrs: &[&str]) -> Vec<String> {
        let endpoint = Endpoint {
            scheme: Scheme::Tcp,
            host: host.to_owned(),
            port: 443,
            path_prefix: String::new(),
            cidrs: cidrs.iter().map(ToString::to_string).collect(),
            ca_pem: String::new(),
            server_name: String::new(),
        };
        let found = endpoint.check().unwrap().unreachable(setting);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_literal_address_that_is_never_probed_is_named_with_its_rule() {
        for (host, rule) in [
            ("127.0.0.1", "loopback"),
            ("::1", "loopback"),
            ("localhost", "loopback"),
            ("Db.Localhost", "loopback"),
            ("169.254.1.1", "link-local"),
            ("fe80::1", "link-local"),
            ("169.254.169.254", "metadata"),
            ("fd00:ec2::254", "metadata"),
            ("::ffff:8.8.8.8", "mapped"),
            ("64:ff9b::808:808", "nat64"),
            ("2002:808:808::1", "6to4"),
            ("224.0.0.1", "multicast"),
            ("0.0.0.0", "unspecified"),
        ] {
            let found = found(Setting::Production, host, &["0.0.0.0/0", "::/0"]);
            let [only] = &found[..] else {
                panic!("{host}: {found:?}");
            };
            assert!(only.contains(&format!("(rule {rule})")), "{only}");
            assert!(only.ends_with("no plan can allow it"), "{only}");
        }
    }

    #[test]
    fn what_a_listed_network_would_allow_says_so() {
        for (host, cidrs, rule) in [
            ("10.1.2.3", &[][..], "private-without-cidr"),
            ("fd12::5", &[], "unique-local-without-cidr"),
            ("10.1.2.3", &["192.168.0.0/16"], "outside-cidrs"),
        ] {
            let found = found(Setting::Production, host, cidrs).remove(0);
            let private = found.contains("private-without-cidr");
            assert!(found.contains(rule) || private, "{found}");
            assert!(found.ends_with("in cidrs"), "{found}");
        }
        let listed = found(Setting::Production, "10.1.2.3", &["10.0.0.0/8"]);
        assert_eq!(listed, [""; 0]);
    }

    #[test]
    fn a_network_that_holds_nothing_reachable_is_named() {
        let cidrs = ["10.0.0.0/8", "127.0.0.0/8"];
        let found = found(Setting::Production, "db.internal", &cidrs);
        assert_eq!(
            found,
            [
                "`127.0.0.0/8` holds no address that is ever probed (rule loopback); take it \
                 out, no plan can allow it"
            ]
        );
    }

    #[test]
    fn names_public_addresses_and_the_machine_of_a_developer_may_be_reached() {
        for host in ["db.internal", "localhost.example", "8.8.8.8", "2600::1"] {
            assert_eq!(found(Setting::Production, host, &[]), [""; 0], "{host}");
        }
        for host in ["127.0.0.1", "::1", "localhost"] {
            assert_eq!(found(Setting::Development, host, &[]), [""; 0], "{host}");
        }
        let metadata = found(Setting::Development, "169.254.169.254", &[]);
        assert_eq!(metadata.len(), 1);
    }
}
