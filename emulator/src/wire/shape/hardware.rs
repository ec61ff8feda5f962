//! What source servers and recovery instances say of their machines. All are the small Linux
//! machines of the recorded drill.

use serde::Serialize;

pub(super) const DISK_BYTES: u64 = 8_589_934_592;
pub(super) const RAM_BYTES: u64 = 1_002_663_936;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cpu {
    cores: u32,
    model_name: &'static str,
}

/// Two, of one core each.
pub(super) fn cpus() -> [Cpu; 2] {
    let cpu = || Cpu {
        cores: 1,
        model_name: "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz",
    };
    [cpu(), cpu()]
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Os {
    full_string: &'static str,
}

pub(super) const OS: Os = Os {
    full_string: "Linux version 4.14.299-223.520.amzn2.x86_64",
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IdentificationHints {
    pub(super) fqdn: String,
    pub(super) hostname: String,
    #[serde(rename = "awsInstanceID")]
    pub(super) aws_instance_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NetworkInterface {
    pub(super) mac_address: String,
    pub(super) ips: Vec<String>,
    pub(super) is_primary: bool,
}
