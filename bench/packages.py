"""Which packages the bench corpus is made of, and which share of the giants.

Chosen so that no project is above 10 % of the text, more than a hundred languages occur, and about 30 % of the
files are exact copies: Debian's releases are two years apart and share whole files, neighbouring versions on npm
and PyPI share most of them.
"""

from __future__ import annotations

from dataclasses import dataclass

RELEASES = ("bullseye", "bookworm", "trixie")


@dataclass(frozen=True)
class Wanted:
    """A selection: source package → releases; npm and PyPI packages with their versions, of PyPI wheels or sdists."""

    debian: dict[str, tuple[str, ...]]
    npm: tuple[str, ...] = ()
    pypi: tuple[str, ...] = ()
    sdists: tuple[str, ...] = ()


_ALL = """busybox curl eigen3 ffmpeg fmtlib git glib2.0 godot groovy h2database haproxy iverilog jq keepass2
libcommons-collections4-java libspring-java libuv1 lua5.4 netty nginx ocaml perl protobuf python-django
redis scala systemd vim zsh"""
_LAST_TWO = """ant bouncycastle caddy containerd coq docker.io elixir-lang etcd fish ghdl gnome-shell gnuplot
googletest grpc guava-libraries hsqldb jackson-databind jetty9 lapack leveldb libcommons-lang3-java
lighttpd maven mercurial nix nlohmann-json3 nltk postgis prometheus rails rocksdb swi-prolog tcl8.6
thrift tomcat10 yosys"""
_FIRST_TWO = "cmake nunit tomcat9 vala"
_BOOKWORM = """agda antlr4 ats2-lang bwbasic chicken csound ecl firebird3.0 fpc gforth gnucobol4 gnustep-base
golang-1.19 graphviz kotlin kubernetes ldc libzstd meson mono nasm newlisp node-typescript nodejs octave
pandoc php8.2 polyml postgresql-15 qtdeclarative-opensource-src r-base ruby3.1 rust-ripgrep
supercollider u-boot why3 wordpress"""
_TRIXIE = """abcl asymptote clisp clojure coffeescript crystal cvc5 erlang gambas3 golang-1.24 guile-3.0 lilypond
macaulay2 nqp pandas picolisp pike8.0 pygments racket rakudo regina-rexx sbcl"""

DEBIAN_SHARE = 0.4
SHARE = {"mono": 0.05, "nodejs": 0.06, "node-typescript": 0.1, "ansible": 0.3, "homeassistant": 0.4, "next": 0.3,
         "ace-builds": 0.4}  # fmt: skip
"""The part of a package's files that is taken, chosen by the hash of their path; where a package is not named,
`DEBIAN_SHARE` for Debian's and all of it for the others."""


def _each(names: str, releases: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(names.split(), releases)


def _versions(text: str, sign: str) -> tuple[str, ...]:
    rows = map(str.split, text.splitlines())
    return tuple(f"{name}{sign}{version}" for name, *versions in rows for version in versions)


FULL = Wanted(
    debian=_each(_ALL, RELEASES)
    | _each(_LAST_TWO, RELEASES[1:])
    | _each(_FIRST_TWO, RELEASES[:2])
    | _each(_BOOKWORM, ("bookworm",))
    | _each(_TRIXIE, ("trixie",))
    | _each("numpy", ("bullseye",))
    | _each("twisted", ("bullseye", "trixie")),
    npm=_versions(
        """@aws-sdk/client-ec2 3.537.0
@mui/material 5.15.13 5.15.14
@types/node 20.11.28 20.11.29 20.11.30
ace-builds 1.32.7 1.32.8
antd 5.15.2 5.15.3
bootstrap 5.3.2 5.3.3
bulma 0.9.3 0.9.4
core-js 3.36.0 3.36.1
date-fns 3.5.0 3.6.0
echarts 5.4.3 5.5.0
eslint 8.56.0 8.57.0
foundation-sites 6.8.1
highlight.js 11.8.0 11.9.0
lodash 4.17.20 4.17.21
mathjs 12.4.0 12.4.1
monaco-editor 0.46.0 0.47.0
next 14.1.3 14.1.4
prismjs 1.28.0 1.29.0
rxjs 7.8.0 7.8.1
svelte 4.2.11 4.2.12
three 0.161.0 0.162.0 0.163.0
typescript 5.4.2 5.4.3
vue 3.4.20 3.4.21
webpack 5.90.3 5.91.0""",
        "@",
    ),
    pypi=_versions(
        """ansible 9.2.0 9.3.0
azure-mgmt-network 25.3.0
bokeh 3.3.3 3.3.4
django 4.2.9 4.2.10 4.2.11
faker 24.0.0 24.1.0
homeassistant 2024.3.0 2024.3.1 2024.3.3
kubernetes 28.1.0
networkx 3.2 3.2.1
plotly 5.18.0 5.19.0 5.20.0
sphinx 7.2.5 7.2.6
sympy 1.12 1.12.1
transformers 4.38.0 4.38.1 4.38.2
twilio 9.0.0 9.0.1
twisted 23.10.0
wagtail 6.0 6.0.1""",
        "==",
    ),
)

SMALL = Wanted(
    debian=_each("lua5.4 jq fmtlib redis libuv1", RELEASES),
    npm=("lodash@4.17.20", "lodash@4.17.21", "rxjs@7.8.0", "rxjs@7.8.1"),
    pypi=("networkx==3.2", "networkx==3.2.1"),
)
"""About 60 MB, for a first look and for smoke tests."""

UNSEEN = Wanted(
    debian=_each(
        """389-ds-base abook adminer amanda apache-directory-server backuppc baresip bitlbee burp capistrano cherrypy3
cloud-init cosign coturn crowdsec dahdi-tools davical deluge dex django-allauth django-oauth-toolkit dnsmasq
dnspython docker-registry dokuwiki dovecot duplicity ejabberd ettercap evolution-data-server exim4 ez-vcard
fail2ban firewalld flask-jwt-simple freeradius gammu ganeti gh gitaly glance gnokii gnumed-client gnutls28
golang-github-coreos-go-oidc golang-github-digitalocean-godo golang-github-go-jose-go-jose
golang-github-go-ldap-ldap golang-github-go-sql-driver-mysql golang-github-golang-jwt-jwt
golang-github-google-go-github golang-github-jackc-pgx golang-github-lib-pq golang-github-minio-minio-go
golang-github-slack-go-slack golang-github-xanzy-go-gitlab golang-golang-x-oauth2 google-oauth-client-java
gosa gunicorn hcloud-cli httpx hub hylafax hyperkitty inspircd isync javamail jgit jsch kamailio kannel
kcontacts keystone lbdb libcloud libcommons-net-java libcommons-validator-java libcrypt-jwt-perl
libdancer2-perl libdata-faker-perl libdbd-mysql-perl libdbd-pg-perl libhibernate-validator-java libical3
libjose4j-java libjwt libmail-imapclient-perl libmemcached libmojolicious-perl libnet-amazon-s3-perl
libnet-ldap-perl libnet-twitter-perl libnetaddr-ip-perl libokhttp-java libosip2 libphonenumber libpqxx
libreswan libtext-vcard-perl loki lxd m2crypto mailman3 mailutils memcached mgetty minicom mlmmj modemmanager
msmtp munin neomutt netplan.io nmap node-got node-ip-address node-ipaddr.js node-jose node-mysql
node-url-parse notary octavia openconnect opendkim openldap openssh openvpn pdns-recursor pgbouncer
php-laravel-framework php-monolog php-net-ldap2 php-phpseclib3 phpldapadmin phppgadmin postfix postfixadmin
postorius preseed prometheus-alertmanager prosody puma pygithub pyjwt python-acme python-authlib
python-azure-devtools python-cryptography python-docker python-flask-jwt-extended python-geoip2 python-gitlab
python-jwcrypto python-keyring python-moto python-netaddr python-phonenumbers python-pysaml2
python-requests-oauthlib radicale rekor reportbug rsnapshot rspamd samba sentry-python sigstore-go sipsak
skopeo sofia-sip squid swift sympa tinc trac tryton-modules-party tryton-server uwsgi varnish waagent wpa znc
zookeeper""",
        ("trixie",),
    )
    | _each(
        """golang-github-dgrijalva-jwt-go golang-github-nlopes-slack php-sabre-vobject tt-rss""",
        ("bullseye",),
    ),
    npm=_versions(
        """@octokit/webhooks-examples 7.6.1
@secretlint/secretlint-rule-aws 13.0.4
@secretlint/secretlint-rule-slack 13.0.4
@slack/bolt 5.1.0
@vonage/server-sdk 3.30.1
Haraka 3.3.4
asterisk-manager 0.2.0
aws4 1.13.2
awesome-phonenumber 7.8.0
botkit 4.15.0
braintree 3.40.0
casual 1.6.2
chance 1.1.13
cleave.js 1.6.0
codeceptjs 4.2.0
detect-secrets 1.0.6
discord.js 14.28.1
eslint-plugin-no-secrets 2.3.3
firebase-admin 14.5.1
google-libphonenumber 3.2.47
hapi 18.1.0
http-signature 1.4.0
hubot 14.1.0
hubspot 2.3.14
imap 0.8.19
inputmask 5.0.10
intl-tel-input 29.5.1
jquery-validation 1.22.1
jsforce 3.10.26
jssip 3.13.8
keycloak-connect 26.1.1
loopback 3.28.0
mailchimp-api-v3 1.15.0
mailparser 3.14.2
messagebird 4.0.1
newman 6.2.2
nexmo 2.9.1
nightwatch 3.16.0
node-red 5.0.7
node-telegram-bot-api 2.1.0
oauth 0.10.2
parse-server 9.10.0
parsleyjs 2.9.2
paypal-rest-sdk 1.8.1
phone 3.1.72
plivo 4.79.0
pm2 7.0.4
postman-collection 5.3.1
pusher 5.3.4
redoc 3.0.1
redux-form 8.3.10
restify 12.0.0
sails 1.5.18
saucelabs 9.2.0
serverless 4.43.0
shopify-api-node 3.15.0
simple-oauth2 5.1.0
sip.js 0.21.2
smtp-server 3.21.6
stripe 23.1.0
telegraf 4.16.3
vcard-parser 1.0.0
vcards-js 2.11.1
vcf 2.1.2
wd 1.14.0""",
        "@",
    ),
    sdists=_versions(
        """adal 1.2.7
apprise 2.2.0
chalice 1.34.0
checkdmarc 6.0.4
commonregex 1.5.3
credsweeper 1.19.5
detect-secrets 1.5.0
django-two-factor-auth 1.18.1
firebase-admin 7.7.0
gidgethub 6.0.0
joserfc 1.8.0
ldap3 2.9.1
messagebird 2.2.0
msal 1.39.0
plivo 4.63.0
python-jose 3.5.0
shopifyapi 12.7.0
simple-salesforce 1.12.10
slack-sdk 3.47.0""",
        "==",
    ),
)
"""Projects that the others have not, whose lines no rule was mended on: mail, telephony, directories, databases,
web frameworks, deployment, and clients of services whose tests hold keys. Of PyPI the sdists, which have the tests."""
