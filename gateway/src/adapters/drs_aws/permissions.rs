//! What the calls of this adapter need to be permitted, in the account of a
//! target and to whoever calls there.
//!
//! StartRecovery and TerminateRecoveryInstances act on EC2 with the caller's
//! permissions. Which actions those are is the column "Dependent actions" of
//! "Actions, resources, and condition keys for AWS Elastic Disaster Recovery"
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticdisasterrecovery.html>);
//! on what and in which circumstances, and what newer features of DRS use besides
//! (fleets, network interfaces, instance profiles) is the AWS managed policy
//! `AWSElasticDisasterRecoveryConsoleFullAccess_v2`, version 7
//! (<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSElasticDisasterRecoveryConsoleFullAccess_v2.html>).
//! Post-launch actions need `AWSElasticDisasterRecoveryLaunchActionsPolicy`
//! besides, which is not repeated here.

use crate::adapters::aws_grant::{
    Grant,
    On::{Ec2, Itself, Roles},
    Only::{
        MakingItForDrs, OnWhatDrsMade, PassedToEc2, TaggingIn, ThroughAws, ThroughDrs,
        WhereLaunchingIsAllowed,
    },
};

/// What this adapter calls itself, in any target.
pub const CALLED: &[Grant] = &[
    Grant::any(
        "Call",
        &[
            "drs:StartRecovery",
            "drs:TerminateRecoveryInstances",
            "drs:TagResource",
            "drs:DescribeJobs",
            "drs:DescribeJobLogItems",
            "drs:DescribeSourceServers",
            "drs:DescribeRecoveryInstances",
            "drs:DescribeRecoverySnapshots",
        ],
    ),
    Grant::any(
        "LookAhead",
        &[
            "drs:GetLaunchConfiguration",
            "servicequotas:ListServiceQuotas",
        ],
    )
    .optional(),
    Grant::on(
        "AskWhatIsPermitted",
        &["iam:SimulatePrincipalPolicy"],
        Itself,
        &[],
    )
    .optional(),
];

/// What the gateway's own role needs, on the roles of targets.
pub const ASSUMED: &[&str] = &["sts:AssumeRole", "sts:TagSession"];

/// Actions that nobody needs a permission for
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
pub const FREE: &[&str] = &["sts:GetCallerIdentity"];

/// What DRS does with the caller's permissions.
pub const ON_BEHALF: &[Grant] = &[
    Grant::any(
        "OfDrs",
        &[
            "drs:CreateRecoveryInstanceForDrs",
            "drs:ListTagsForResource",
        ],
    ),
    Grant::any("LookAround", LOOKING),
    Grant::on(
        "PassRolesOfDrs",
        &["iam:PassRole"],
        Roles(ROLES),
        &[PassedToEc2],
    ),
    Grant::on(
        "LaunchTemplates",
        &[
            "ec2:CreateLaunchTemplateVersion",
            "ec2:ModifyLaunchTemplate",
            "ec2:DeleteLaunchTemplateVersions",
        ],
        Ec2(&["launch-template"]),
        &[OnWhatDrsMade],
    ),
    Grant::on(
        "NewLaunchTemplates",
        &["ec2:CreateLaunchTemplate"],
        Ec2(&["launch-template"]),
        &[MakingItForDrs],
    ),
    Grant::on(
        "Instances",
        &[
            "ec2:StartInstances",
            "ec2:StopInstances",
            "ec2:TerminateInstances",
            "ec2:ModifyInstanceAttribute",
            "ec2:GetConsoleOutput",
            "ec2:GetConsoleScreenshot",
            "ec2:AttachVolume",
            "ec2:DetachVolume",
            "ec2:AssociateIamInstanceProfile",
        ],
        Ec2(&["instance"]),
        &[OnWhatDrsMade, ThroughAws],
    ),
    Grant::on(
        "InstancesToLaunchInto",
        &[
            "ec2:StartInstances",
            "ec2:GetConsoleOutput",
            "ec2:GetConsoleScreenshot",
            "ec2:AttachVolume",
            "ec2:DetachVolume",
        ],
        Ec2(&["instance"]),
        &[ThroughDrs, WhereLaunchingIsAllowed],
    ),
    Grant::on(
        "MakeInstances",
        &["ec2:RunInstances"],
        Ec2(&["instance"]),
        &[MakingItForDrs, ThroughAws],
    ),
    Grant::on(
        "MakeVolumes",
        &["ec2:CreateVolume"],
        Ec2(&["volume"]),
        &[MakingItForDrs, ThroughAws],
    ),
    Grant::on(
        "MakeSnapshots",
        &["ec2:CreateSnapshot"],
        Ec2(&["snapshot"]),
        &[MakingItForDrs, ThroughAws],
    ),
    Grant::on(
        "MakeSecurityGroups",
        &["ec2:CreateSecurityGroup"],
        Ec2(&["security-group"]),
        &[MakingItForDrs, ThroughAws],
    ),
    Grant::on(
        "MakeNetworkInterfaces",
        &["ec2:CreateNetworkInterface"],
        Ec2(&["network-interface"]),
        &[MakingItForDrs, ThroughAws],
    ),
    Grant::on(
        "Volumes",
        &["ec2:AttachVolume", "ec2:CreateSnapshot", "ec2:DeleteVolume"],
        Ec2(&["volume"]),
        &[OnWhatDrsMade, ThroughAws],
    ),
    Grant::on(
        "Snapshots",
        &["ec2:CreateVolume", "ec2:DeleteSnapshot"],
        Ec2(&["snapshot"]),
        &[OnWhatDrsMade, ThroughAws],
    ),
    Grant::on(
        "SecurityGroups",
        &[
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupEgress",
        ],
        Ec2(&["security-group"]),
        &[OnWhatDrsMade, ThroughAws],
    ),
    Grant::on(
        "NetworkInterfaces",
        &["ec2:CreateNetworkInterfacePermission"],
        Ec2(&["network-interface"]),
        &[OnWhatDrsMade, ThroughAws],
    ),
    Grant::on(
        "LaunchWith",
        &["ec2:RunInstances"],
        Ec2(&[
            "security-group",
            "volume",
            "subnet",
            "image",
            "network-interface",
            "launch-template",
        ]),
        &[ThroughAws],
    ),
    Grant::on(
        "DetachAnyVolume",
        &["ec2:DetachVolume"],
        Ec2(&["volume"]),
        &[ThroughAws],
    ),
    Grant::on(
        "LaunchFleets",
        &["ec2:CreateFleet"],
        Ec2(&[
            "instance",
            "fleet",
            "volume",
            "subnet",
            "image",
            "launch-template",
        ]),
        &[ThroughDrs],
    ),
    Grant::on(
        "InNetworks",
        &["ec2:CreateSecurityGroup"],
        Ec2(&["vpc"]),
        &[ThroughAws],
    ),
    Grant::on(
        "OnNetworks",
        &["ec2:CreateNetworkInterface"],
        Ec2(&["subnet", "security-group"]),
        &[ThroughAws],
    ),
    Grant::on(
        "TagWhatIsMade",
        &["ec2:CreateTags"],
        Ec2(&[
            "security-group",
            "volume",
            "snapshot",
            "instance",
            "network-interface",
        ]),
        &[
            ThroughAws,
            TaggingIn(&[
                "CreateSecurityGroup",
                "CreateVolume",
                "CreateSnapshot",
                "RunInstances",
                "CreateNetworkInterface",
                "CreateFleet",
            ]),
        ],
    ),
    Grant::on(
        "TagLaunchTemplates",
        &["ec2:CreateTags"],
        Ec2(&["launch-template"]),
        &[TaggingIn(&["CreateLaunchTemplate"])],
    ),
];

/// Reads of EC2 and KMS, which know no resources.
const LOOKING: &[&str] = &[
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeCapacityReservations",
    "ec2:DescribeHosts",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeKeyPairs",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSnapshots",
    "ec2:DescribeSubnets",
    "ec2:DescribeVolumes",
    "ec2:GetEbsDefaultKmsKeyId",
    "ec2:GetEbsEncryptionByDefault",
    "ec2:GetInstanceTypesFromInstanceRequirements",
    "kms:DescribeKey",
    "kms:ListAliases",
];

/// Roles that DRS makes when it is initialised in an account, and gives to
/// instances.
const ROLES: &[&str] = &[
    "service-role/AWSElasticDisasterRecoveryConversionServerRole",
    "service-role/AWSElasticDisasterRecoveryRecoveryInstanceRole",
    "service-role/AWSElasticDisasterRecoveryRecoveryInstanceWithLaunchActionsRole",
];
