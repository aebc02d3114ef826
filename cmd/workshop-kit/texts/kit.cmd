@echo off
rem Makes go find everything in this folder, for this window alone:  cmd /k kit.cmd

rem GOPROXY is a list of URLs, with slashes, and without blanks.
setlocal enabledelayedexpansion
set "kit=%~dp0"
set "kit=!kit:\=/!"
set "kit=!kit: =%%20!"
for /f "delims=" %%p in ("!kit!") do endlocal & set "GOPROXY=file:///%%pkit/modules"

rem go.sum says what everything has to be; no other Go is fetched; nor does go env -w matter.
set "GOSUMDB=off"
set "GOTOOLCHAIN=local"
set "GOENV=off"
set "GOWORK=off"
rem There is no git around the source.
set "GOFLAGS=-buildvcs=false"
set "PATH=%~dp0bin;%PATH%"

cd /d "%~dp0"
echo Go on with:  bin\lambdakappa doctor
