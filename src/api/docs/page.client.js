"use strict";
alert(1);
