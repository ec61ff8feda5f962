//! GetLaunchConfiguration: the defaults that DRS gives a new server.

use serde::{Deserialize, Serialize};

use super::answer::{Call, Reply};
use super::check::Fields;
use super::error::ServiceError;
use crate::model::{Refusal, ResourceKind, SourceServerId};

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "sourceServerID")]
    source_server_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LaunchConfiguration<'a> {
    #[serde(rename = "sourceServerID")]
    source_server_id: &'a str,
    name: &'a str,
    #[serde(rename = "ec2LaunchTemplateID")]
    ec2_launch_template_id: String,
    launch_disposition: &'static str,
    target_instance_type_right_sizing_method: &'static str,
    copy_private_ip: bool,
    copy_tags: bool,
    licensing: Licensing,
    post_launch_enabled: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Licensing {
    os_byol: bool,
}

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let request: Request = call.request()?;
    let mut fields = Fields::default();
    let text = request.source_server_id;
    let id = fields.required("sourceServerID", text.as_ref(), SourceServerId::parse);
    fields.finish()?;
    let estate = call
        .model
        .estate(&call.place)
        .map_err(|refusal| call.refused(&refusal))?;
    let server = id.and_then(|id| estate.source_server(&id)).ok_or_else(|| {
        let id = text.unwrap_or_default();
        call.refused(&Refusal::NotFound {
            kind: ResourceKind::SourceServer,
            id,
        })
    })?;
    let id = server.spec.id.as_str();
    let template = call.model.seed().hex16(&["launch template", id]);
    Ok(Reply::ok(&LaunchConfiguration {
        source_server_id: id,
        name: &server.spec.hostname,
        ec2_launch_template_id: format!("lt-0{template}"),
        launch_disposition: "STARTED",
        target_instance_type_right_sizing_method: "BASIC",
        copy_private_ip: false,
        copy_tags: false,
        licensing: Licensing { os_byol: false },
        post_launch_enabled: false,
    }))
}
