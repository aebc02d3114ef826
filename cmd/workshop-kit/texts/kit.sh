# Makes go find everything in this folder, for this shell alone: cd here, then  . ./kit.sh

kit=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE:-$0}")" 2>/dev/null && pwd)
[ -d "$kit/kit/modules" ] || kit=$PWD
if [ -d "$kit/kit/modules" ]; then
	# GOPROXY is a list of URLs: what would end one is written otherwise.
	GOPROXY="file://$(printf %s "$kit/kit/modules" |
		sed -e 's/%/%25/g' -e 's/ /%20/g' -e 's/,/%2C/g' -e 's/|/%7C/g' -e 's/#/%23/g' -e 's/?/%3F/g')"
	GOSUMDB=off       # go.sum says what everything has to be
	GOTOOLCHAIN=local # no other Go is fetched
	GOENV=off         # nor does what was set with go env -w matter
	GOWORK=off
	GOFLAGS=-buildvcs=false # there is no git around the source
	PATH=$kit/bin:$PATH
	export GOPROXY GOSUMDB GOTOOLCHAIN GOENV GOWORK GOFLAGS PATH
else
	echo "kit.sh: there is no kit/modules here: cd to the folder of kit.sh first" >&2
fi
unset kit
