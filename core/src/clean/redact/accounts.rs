//! Accounts that are nobody's: of the system, of services, of examples, and words of folders and routes.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Accounts that Debian's base-passwd and common packages make, and the services that they run.
const SERVICES: &str = "root toor wheel daemon bin sys sync games lp mail news uucp proxy backup list irc gnats nobody \
nogroup noaccess nfsnobody systemd messagebus dbus sshd ssh avahi colord cups dnsmasq gdm lightdm ntp polkitd pulse rtkit \
saned statd tcpdump uuidd operator adm shutdown halt ftp sftp tftp tftpd rsync apache apache2 httpd http https nginx \
lighttpd caddy haproxy varnish squid tomcat tomcat7 tomcat8 jetty jboss wildfly glassfish mysql mysqld mariadb postgres \
postgresql pgsql pgbouncer mongodb mongod mongo redis memcached memcache cassandra couchdb couchbase elasticsearch elastic \
kibana logstash rabbitmq rabbit kafka zookeeper solr neo4j influxdb influx grafana prometheus consul vault nomad etcd \
kubernetes kubelet kube k8s containerd docker podman crio runc minikube rancher helm asterisk freeswitch kamailio opensips \
sipp yate janus freepbx exim exim4 postfix dovecot dovenull vmail vpopmail virtual courier cyrus sendmail qmail amavis \
clamav spamd spamassassin rspamd mailman majordom majordomo sympa roundcube ldap openldap slapd dirsrv samba smbd bind \
named unbound pdns nsd knot dhcpd radius freeradius radiusd kerberos krb5 cvs svn git hg bzr gitlab gitlab-runner gitea \
gogs gitolite gerrit github github-actions jenkins hudson buildbot bamboo teamcity travis circleci drone actions azure-pipelines \
vsts vsts_azpcontainer puppet chef ansible salt saltstack terraform vagrant nagios icinga zabbix munin collectd statsd \
telegraf snmp snmpd ntpd chrony openvpn wireguard tor znc ircd jabber ejabberd prosody matrix synapse mattermost discourse \
redmine trac wordpress drupal joomla mediawiki moodle nextcloud owncloud plex kodi hass homeassistant mosquitto mqtt pihole \
osmc hadoop hdfs yarn hive hbase spark flink storm presto trino airflow jupyter jovyan rstudio rstudio-server shiny zeppelin \
mesos openstack stack nova ironic heat octavia barbican manila magnum mistral sahara trove zaqar ceilometer aodh gnocchi neutron glance cinder swift keystone ceph gluster minio oracle oinstall grid db2 db2inst1 db2admin \
informix sybase sap sapadm weblogic websphere odoo openerp frappe celery sentry sidekiq puma unicorn passenger gunicorn \
uwsgi fastcgi php-fpm cron crond at syslog auditd logcheck tss pcp qemu libvirt libvirt-qemu kvm xen lxc lxd vbox vboxuser \
vmware nixbld guixbuild buildd sbuild pbuilder mock mockbuild rpmbuild makerpm abuild packager builduser koji copr obs obsrun \
portage debian-spamd nut nagiosxi splunk datadog dd-agent newrelic snort ossec wazuh suricata zeek condor frs sourceforge ser srouter sip postman distcc fax mail2fax squirrelmail smtp imap pop3 e-smith slurm munge pbs \
torque sge ganglia nixos-user mythtv mpd icecast icecast2 shoutcast liquidsoap minecraft steam sinusbot ts3 teamspeak rtorrent \
transmission deluge sonarr radarr firefox chrome chromium chronos selenium seluser puppeteer pptruser playwright pwuser \
hyperv sqlserver mssql sa sysdba sysdb dba dbo postgrest hasura keycloak wso2 liferay alfresco nexus sonatype artifactory \
sonar sonarqube jira confluence atlassian crowd bitbucket stash fisheye rundeck spinnaker tekton argocd flux traefik envoy \
istio linkerd nats emqx centreon cacti observium librenms rancid oxidized netdisco rundeckuser semaphore awx tower tableau \
webmin usermin virtualmin plesk psaadm cpanel directadmin ispconfig ispapps ajenti ghost";

/// Systems and what images of machines call their first account.
const SYSTEMS: &str = "debian ubuntu fedora centos redhat rhel suse opensuse arch archlinux gentoo alpine kali mint void \
slackware freebsd openbsd netbsd solaris linux macos mac osx windows coreos core cloudlinux rocky almalinux amazon ec2-user \
ec2 azureuser azure gcp aws google cloud-user cloud_user cloud opc bitnami vcap heroku dyno pi raspberry raspberrypi dietpi \
retropie gitpod coder codespace codespaces vscode vscodespace circle runner runneradmin runners containeradministrator \
containeruser localservice networkservice defaultuser defaultuser0 defaultapppool default public all allusers system \
localsystem shared liveuser live knoppix gitlab-ci web_user webuser sandbox sandboxuser playground replit glitch \
ray python python2 python3 py perl php ruby rails rbenv pyenv conda anaconda miniconda mamba node nodejs nodeuser npm pnpm bun \
deno go golang rust cargo java kotlin gradle maven scala sbt lua erlang elixir haskell ghc cabal opam ocaml nix nixos guix \
linuxbrew brew homebrew flatpak snap dart flutter android ios swiftbuild dotnet nuget jboss-eap tomcatuser emscripten wine";

/// Roles, and names that stand for any.
const STAND_INS: &str = "admin admins administrator administrators superuser superadmin sysadmin sysop webadmin webmaster \
postmaster hostmaster moderator owner manager guest guests visitor anonymous anon somebody someone anyone nonexistent \
nonexisting nonexistant none null nil undefined unknown missing empty invalid valid bad good wrong fake dummy mockuser stub \
user users usr username user-name user_name userid uid uname user_id userinfo useraccount account accounts acct login logins \
loginname name names yourname your_name your-name yourusername your_username your-username yourlogin youruser you your \
myname myuser myusername myself my me mine self myhome mylogin myaccount someuser some_user otheruser another anotheruser \
newuser olduser appuser app apps application dbuser db_user dbadmin db database devuser dev devel develop developer \
developers deploy deployer deployuser deployment ops devops operations infra build builder builds builduser ci cd cicd \
test tests tester testers testing testuser test_user testusr testaccount tst qa uat staging stage prod production demo \
demouser example examples sample samples foo bar baz qux quux foobar foobaz foouser baruser alice bob carol carole dave eve \
mallory trent peggy joe john jane doe johndoe janedoe jdoe john_doe jane_doe john.doe jane.doe j.doe joeuser joeblow joebloggs \
jsmith johnsmith john.smith jrandom j.random.user alfa alpha beta gamma delta abc xyz abcd xyzzy flintstone flintstones simpsons lorem ipsum hello world worker workers nopasswd \
nologin nouser noname no-one noone student teacher trainee intern employee customer client clients member person people \
service services svc serviceaccount robot bot agent agents server servers host hosts hostname localhost domain realm \
user-a user-b usera userb userx group groups staff team teams public private token tokens redacted x-access-token \
x-token-auth oauth oauth2 oauth2accesstoken apikey api_key api-key key keys secret secrets password passwd pass pw pwd \
credentials creds auth authuser basic proxy-user proxyuser proxy_user mytoken access_token accesstoken build_user \
nixpkgs gitlab-ci-token aladdin tux master slave primary replica replication repl readonly readwrite reader writer";

/// Folders of software and routes of web sites that stand after `/home/` or `/Users/`.
const FOLDERS: &str = "about activity add ads api archive archives article articles asset assets audio author authors base \
bash basic beta bib blog board boards book bookmarks books boot brand browse bugs business button cache calendar camp \
card cards cart cat categories category cgi cgi-bin changelog chat check checkout classes code codes collection \
collections com comment comments common community company component components conf config configs configuration contact \
contacts container containers content contents contrib controller courses create css current custom customers dashboard \
data databases dataset datasets date default delete demos design desktop detail details dialog dir directory dirs disk dist \
distfiles doc docs document documentation documents down download downloads edit editor education elements email emails \
empty entries env error errors etc event events exit explore export exports extensions faq favorites feature features feed \
feedback file files find first fixtures folder folders font fonts footer form forms forum forums friends front fs gallery \
game games garden general get global goto graph grid group guide guides header headers help history home homes html icon \
icons id image images img import inbox inc include index info input install installer intro introduction item items job jobs \
join js lab labs lang language languages latest layout legal lib libexec library libs license link links list lists local \
location log logger logout logs lost+found main mailbox map maps market marketing media meetings menu message messages meta \
method misc mnt mobile model models module modules mount movies music nav net network news notes notice notification \
notifications object objects offers old open opt option options order orders org other output overview package packages page \
pages param path paths payment payments photo photos picture pictures ping plan plugin plugins policy portal post posts \
preferences prefs press pricing print privacy product products profile profiles program programs project projects \
public_html publications query quest queue quick random readme recent redirect refresh register release releases remote \
report reports repo repos repositories repository request requests research reset resource resources response rest result \
results review reviews room rooms route router routes rss run sales save scripts sdk search section sections security \
select send session sessions setting settings setup share shared shop show sign signin signout signup site sitemap sites \
software solutions sound sounds source sources spec special sport sports src start state static stats status stop storage \
store stories story stream student students style styles subdir submit subscribe support svn-repos tab table tables tag \
tags target task tasks technology temp template templates terms text theme themes thread threads time tmp today tool tools \
top topic topics training trash tutorial tutorials type types uname update updates upload uploads url urls usr utils value \
values var vendor version versions video videos view viewer views vol volume volumes weather web webapp webapps webdav webpage \
webroot website websites welcome widget widgets wiki work works workspace workspaces www www-data wwwroot wwwrun xml xxx \
yarn zip zone spack soft fs-images first last next prev previous self super sub parent child hobbies jetbrains spring iscsi zimbra openser serro kamailioro openserro pcscf scscf icscf domains \
webs vhosts hosting maildir maildirs mailboxes spool cvsroot svnroot gitrepos mirror mirrors backups dump dumps incoming \
outgoing listserv htdocs vcs wsgi cgi proj barfoo barfoobar blah hey hmph hacker";

/// Folders of homes: the account stands behind them. So does it behind a single letter (`/home/j/jdoe`).
const GROUPS: &str =
    "users members member people staff faculty student students grad grads ugrad undergrad homes accounts";

fn set(lists: &[&'static str]) -> HashSet<&'static str> {
    let lines = lists.iter().flat_map(|list| list.lines()).filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_ascii_whitespace).collect()
}

/// Names of packages, which servers call their accounts by; the first lines of the file say which.
const PACKAGES: &str = include_str!("packages.txt");
static NOBODY: LazyLock<HashSet<&str>> =
    LazyLock::new(|| set(&[SERVICES, SYSTEMS, STAND_INS, FOLDERS, PACKAGES]));
static RUNNING: LazyLock<HashSet<&str>> = LazyLock::new(|| set(&[SERVICES, PACKAGES]));
static GROUPED: LazyLock<HashSet<&str>> = LazyLock::new(|| set(&[GROUPS]));
/// What makes a name a role's wherever it stands in it: `web_user`, `test-jane`.
static PARTS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    set(&[
        "user usr users test tests admin runner bot fake example sample demo dummy project projects name username build \
           server service svc account dir folder app my your some the new old agent worker ci administrator guest pw proj hosting office ftp public linux key container generic role foo bar baz foobar",
    ])
});
/// What a role's name ends with, after more of it: `fishuser`, `patchbot`.
const ENDINGS: [&str; 19] = [
    "user", "users", "username", "runner", "admin", "bot", "builder", "build", "server", "service", "daemon",
    "agent", "account", "worker", "pkgs", "files", "repo", "project", "projects",
];
const FILES: &str = " html htm js php css py jpg jpeg png gif svg txt md pdf ps json xml yml yaml conf cfg ini log sh rb pl c h \
cpp so gz tgz bz2 xz zip tar rar iso img java class jar war csv sql key pem crt cert pub mp3 mp4 wav bak tmp doc exe dll bin \
dat lua rs go ts tex bib rpm deb out in sock pid lock db shtml asp aspx jsp cgi com org net ";

/// Whether the accounts stand in folders of this name.
pub(super) fn group(name: &str) -> bool {
    name.len() == 1 && name.bytes().all(|b| b.is_ascii_lowercase()) || GROUPED.contains(name)
}

/// Whether a user's name may be a person's: no service, role, example, word of a route, file or identifier.
pub(super) fn someone(name: &str) -> bool {
    let lower = name.to_lowercase();
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('~');
    let digits = lower.bytes().filter(u8::is_ascii_digit).count();
    let repeated = lower.bytes().all(|b| b == b'x')
        || (lower.len() == 3 && lower.bytes().all(|b| b == lower.as_bytes()[0]));
    !stem.is_empty()
        && !lower.starts_with(['.', '-', '~'])
        && !repeated
        && digits < 6
        && lower.matches('-').count() < 2
        && !nobody(&lower)
        && !nobody(stem.trim_end_matches(['-', '_', '.']))
        && !lower
            .split(['.', '-', '_'])
            .any(|part| PARTS.contains(part.trim_end_matches(|c: char| c.is_ascii_digit())))
        && !(ENDINGS.iter().any(|end| stem.ends_with(end))
            && !stem.ends_with("talbot")
            && !stem.ends_with("abbot"))
        && !technical(&lower)
        && !lower
            .rsplit_once('.')
            .is_some_and(|(_, end)| end.len() < 2 || FILES.contains(&format!(" {end} ")))
}

/// Whether it is built as programs' names are: a known one's daemon (`smtpd`), JavaScript (`ldapjs`), `i18n`.
fn technical(name: &str) -> bool {
    let bytes = name.as_bytes();
    let inner = &bytes[1..bytes.len().max(2) - 1];
    let numeronym = bytes.len() > 2
        && inner.iter().all(u8::is_ascii_digit)
        && bytes[0] != bytes[bytes.len() - 1]
        && bytes[0].is_ascii_alphabetic()
        && bytes[bytes.len() - 1].is_ascii_alphabetic();
    let daemon = name.strip_suffix('d').is_some_and(|stem| stem.len() > 2 && RUNNING.contains(stem));
    // Not "Matthijs" and "Andrejs".
    let script = name.strip_suffix("js").is_some_and(|stem| stem.len() > 1 && !stem.ends_with(['i', 'e']));
    numeronym || daemon || script
}

/// Programs that others are named after: `dynamodblocal`, `myjenkins2`.
const PROGRAMS: [&str; 28] = [
    "mysql",
    "postgres",
    "mongo",
    "redis",
    "dynamodb",
    "elastic",
    "rabbitmq",
    "kafka",
    "hadoop",
    "docker",
    "jenkins",
    "github",
    "gitlab",
    "django",
    "tomcat",
    "apache",
    "nginx",
    "wordpress",
    "sqlite",
    "mariadb",
    "eclipse",
    "kubernetes",
    "ansible",
    "vagrant",
    "jupyter",
    "openstack",
    "opensmpp",
    "selenium",
];

/// Whether a name is one of the lists, or two of them (`webdeploy`, `myproject`), or a program's.
fn nobody(name: &str) -> bool {
    let known = |word: &str| NOBODY.contains(word);
    known(name)
        || name.strip_prefix("my").is_some_and(known)
        || PROGRAMS.iter().any(|program| name.contains(program))
        || (6..=24).contains(&name.len())
            && name.is_ascii()
            && (2..=name.len() - 4).any(|n| {
                let (head, tail) = name.split_at(n);
                (n > 2 || head == "my") && known(head) && known(tail)
            })
}
