//! Permissions at AWS, as data: each adapter says which it needs, whoever
//! prints an IAM policy writes them down, and whoever looks ahead asks IAM
//! whether they are given.

/// What is permitted, on what, and in which circumstances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its name in a policy.
    pub sid: &'static str,
    /// Actions as IAM spells them, for example `drs:DescribeJobs`.
    pub actions: &'static [&'static str],
    /// On what.
    pub on: On,
    /// Circumstances that all must hold.
    pub only: &'static [Only],
    /// Whether launches work without it.
    pub is_optional: bool,
}

impl Grant {
    /// On everything, whatever the circumstances.
    pub(super) const fn any(sid: &'static str, actions: &'static [&'static str]) -> Self {
        Self::on(sid, actions, On::Anything, &[])
    }

    pub(super) const fn on(
        sid: &'static str,
        actions: &'static [&'static str],
        on: On,
        only: &'static [Only],
    ) -> Self {
        Self {
            sid,
            actions,
            on,
            only,
            is_optional: false,
        }
    }

    pub(super) const fn optional(self) -> Self {
        Self {
            is_optional: true,
            ..self
        }
    }
}

/// On what something is permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// On everything.
    Anything,
    /// On EC2's resources of these types, for example `instance`.
    Ec2(&'static [&'static str]),
    /// On roles of the account, by path and name.
    Roles(&'static [&'static str]),
    /// On the role that has the permission.
    Itself,
    /// On the journal's table.
    Table,
    /// On an index of the journal's table.
    Index(&'static str),
}

/// A circumstance in which something is permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// A service of AWS calls on behalf of the one who is permitted.
    ThroughAws,
    /// DRS does.
    ThroughDrs,
    /// DRS has made the resource: it carries [`DRS_TAG`].
    OnWhatDrsMade,
    /// The resource is made with [`DRS_TAG`].
    MakingItForDrs,
    /// The resource carries the tag with which its owner lets DRS launch into
    /// it.
    WhereLaunchingIsAllowed,
    /// The role goes to an instance of EC2.
    PassedToEc2,
    /// The tags are given by these calls.
    TaggingIn(&'static [&'static str]),
}

/// The tag by which DRS knows what it has made.
pub const DRS_TAG: &str = "AWSElasticDisasterRecoveryManaged";
