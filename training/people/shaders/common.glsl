// Rest coordinates (dm): the place on the base body, the same for every person. x to the person's left, y up, z to the front.
float hash(vec3 p) { p = fract(p * .3183099 + .1); p *= 17.; return fract(p.x * p.y * p.z * (p.x + p.y + p.z)); }
float noise(vec3 x) {
    vec3 i = floor(x), f = fract(x);
    f = f * f * (3. - 2. * f);
    return mix(mix(mix(hash(i), hash(i + vec3(1, 0, 0)), f.x), mix(hash(i + vec3(0, 1, 0)), hash(i + vec3(1, 1, 0)), f.x), f.y),
               mix(mix(hash(i + vec3(0, 0, 1)), hash(i + vec3(1, 0, 1)), f.x), mix(hash(i + vec3(0, 1, 1)), hash(i + vec3(1, 1, 1)), f.x), f.y), f.z);
}
float fbm(vec3 x) { return .5 * noise(x) + .25 * noise(x * 2.1) + .15 * noise(x * 4.3) + .1 * noise(x * 8.7); }

uniform int neckline;   // -1 none, else the order of wardrobe.Neckline
uniform int headwear;   // 0 none, 1 fedora, 2 beanie, 3 headband, 4 headscarf

// Height of the garment's edge above a place on the body, dm; positive inside the garment.
float garment_depth(vec3 r) {
    if (neckline < 0) return -1.;
    float front = .5 + .5 * cos(atan(r.x, r.z - .05)), x = abs(r.x), edge;
    if (neckline == 0) edge = mix(6.00, 5.60, front);                                         // crew
    else if (neckline == 1) edge = r.z > .1 ? min(mix(6.02, 5.78, front), 4.86 + 1.35 * x) : mix(6.02, 5.78, front);  // v
    else if (neckline == 2) edge = mix(5.92, 5.06 + .60 * x * x, smoothstep(.30, .92, front)); // scoop
    else if (neckline == 3) edge = 5.56 + .06 * x;                                            // boat
    else if (neckline == 4) edge = 6.36 - .12 * front;                                        // turtleneck
    else if (neckline == 5) edge = x < .60 ? mix(5.78, 5.00 + .7 * x * x, smoothstep(.25, .9, front)) : (x < 1.05 ? 9. : 4.75 - .8 * (x - 1.05));  // tank
    else edge = r.z > .1 ? (x < .74 ? 5.06 : 9.) : 5.80;                                      // square
    float reach[7] = float[](.78, .80, 1.05, 1.40, .62, 9., 9.);                              // from here on the shoulder is covered
    return max(edge - r.y, x - reach[neckline]);
}
// The same for headwear.
float headwear_depth(vec3 r) {
    float plane = r.y - 7.78 + .30 * (.9 - r.z);
    if (headwear == 2) return plane;
    if (headwear == 3) return min(plane + .04, .42 - plane);
    if (headwear == 4) {
        float face = length(vec2(r.x / .83, (r.y - 7.02) / (r.y > 7.02 ? .88 : 1.0)));
        return min(r.z > .25 ? (face - 1.) * .8 : 1., r.y - 5.3);
    }
    return -1.;
}

// Whether a strand of hair has ended: below a cut, or over the eyes.
bool strand_ends(vec3 r, vec2 uv, float cut_below, int fringe) {
    float jitter = noise(vec3(uv * vec2(130., 3.), 5.)), x = abs(r.x);
    if (r.y < cut_below + .16 * (jitter - .5)) return true;
    if (fringe == 1 && headwear == 3 && r.z > .25 && r.y > 7.2) return true;   // a headband holds a fringe back
    return fringe == 1 && r.z > .55 && x < .86 && r.y < 7.60 + .14 * jitter - .25 * smoothstep(.60, .86, x);
}
