in vec3 P; in vec3 N; in vec3 R; in vec3 T; in vec2 U; in vec4 L;
uniform sampler2D image; uniform sampler2DShadow shadow_map; uniform sampler2D lip_mask;
uniform int material; uniform int part; uniform int pass_number;
uniform vec3 eye; uniform vec3 key_direction; uniform vec3 key; uniform vec3 fill; uniform vec3 ambient; uniform float rim; uniform float softness;
uniform vec3 colour; uniform vec3 grain; uniform float spec;                  // of the material
uniform float freckles, blush, lipstick, eye_shadow, oiliness, stubble; uniform vec4 moles[6]; uniform vec3 beard; uniform vec3 beard_colour;
uniform float cut_below; uniform int fringe; uniform int pattern; uniform vec3 pattern_colour;
uniform float fur_level, fur_curl, fur_receding; uniform int fur_place;
layout(location = 0) out vec4 shade; layout(location = 1) out vec4 truth; layout(location = 2) out vec4 facing;

const int SKIN = 0, EYE = 1, HAIR = 2, BROW = 3, CLOTH = 4, TEETH = 5, TONGUE = 6, FRAME = 7, LENS = 8, GARMENT = 9, HEADWEAR = 10, METAL = 11, FUR = 12;
const vec2 DISC[12] = vec2[](vec2(-.326, -.406), vec2(-.84, -.074), vec2(-.696, .457), vec2(-.203, .621), vec2(.962, -.195), vec2(.473, -.48),
                             vec2(.519, .767), vec2(.185, -.893), vec2(.507, .064), vec2(.896, .412), vec2(-.322, -.933), vec2(-.792, -.598));

float lit(float width) {                                                      // share of the key light that arrives
    vec3 q = L.xyz / L.w * .5 + .5;
    float angle = hash(P * 91.) * 6.28, sum = 0.;
    mat2 spin = mat2(cos(angle), sin(angle), -sin(angle), cos(angle));
    for (int i = 0; i < 12; i++) sum += texture(shadow_map, vec3(q.xy + spin * DISC[i] * width * .0035, q.z - .0022));
    return sum / 12.;
}
float ggx(vec3 n, vec3 v, vec3 l, float a) {                                  // Walter et al. 2007, with Schlick's visibility
    vec3 h = normalize(v + l);
    float nh = max(dot(n, h), 0.), nl = max(dot(n, l), 0.), nv = max(dot(n, v), .02), a2 = a * a;
    float d = a2 / (3.1416 * pow(nh * nh * (a2 - 1.) + 1., 2.)), k = a / 2.;
    return d * nl / (4. * (nl * (1. - k) + k) * (nv * (1. - k) + k));
}
float lips() { return texture(lip_mask, U).r * step(6., R.y) * step(.9, R.z); }

// Where a beard may grow: x cheeks, y chin and jaw, z upper lip; 0..1 each.
vec3 beard_area(float lip) {
    float x = abs(R.x), ragged = .06 * (noise(R * 11.) - .5);
    float line = 6.60 + .40 * smoothstep(.35, .80, x) + .12 * smoothstep(.78, .95, x) + ragged;
    float below = smoothstep(6.0, 6.12, R.y + ragged - .30 * smoothstep(.75, .25, R.z)) * (1. - lip) * step(.12, R.z);
    float cheeks = smoothstep(line + .05, line - .12, R.y) * below;
    float chin = smoothstep(6.58, 6.44, R.y) * smoothstep(.40, .28, x) * below * step(.7, R.z);
    float ring = smoothstep(.44, .37, x + ragged) * smoothstep(.27, .33, x) * smoothstep(6.80, 6.72, R.y) * below * step(.7, R.z);
    float upper = smoothstep(.40, .30, x + ragged) * smoothstep(6.60, 6.65, R.y) * smoothstep(6.83, 6.75, R.y + .12 * x) * (1. - lip) * step(1., R.z);
    return vec3(cheeks * smoothstep(.28, .42, x), max(chin, ring * beard.y), upper);
}
float bearded(float lip) { vec3 a = beard_area(lip) * beard; return max(a.x, max(a.y, a.z)); }

float scalp() {                                                               // 0..1, where hair grows on the head
    float around = atan(abs(R.x), R.z - .10);                                   // 0 front, pi back
    float line = 7.80 - .10 * smoothstep(.35, .75, around) - .30 * smoothstep(.78, 1.02, around) - .48 * smoothstep(1.02, 1.22, around);
    line += .32 * smoothstep(1.32, 1.48, around) - .45 * smoothstep(1.85, 2.1, around) - .30 * smoothstep(2.1, 2.6, around);
    line += .10 * (noise(R * 8.) - .5) + .38 * fur_receding * smoothstep(1.0, .5, around);
    return smoothstep(line - .05, line + .09, R.y) * (1. - fur_receding * smoothstep(7.85, 8.15, R.y));   // receding: a bare crown
}

vec3 woven(vec3 base) {
    if (pattern == 1) base = mix(base, pattern_colour, step(.5, fract(R.y * 2.6)));
    else if (pattern == 2) base = mix(base, pattern_colour, .5 * step(.62, fract(R.y * 2.3)) + .5 * step(.62, fract(R.x * 2.3)));
    else if (pattern == 3) {
        vec2 cell = vec2(R.x * 3.4 + .5 * mod(floor(R.y * 3.4), 2.), R.y * 3.4);
        base = mix(base, pattern_colour, smoothstep(.30, .24, length(fract(cell) - .5)));
    } else if (pattern == 4) base *= .80 + .30 * abs(sin(R.x * 46.)) * (.75 + .25 * sin(R.y * 60.));
    else if (pattern == 5) base *= .72 + .5 * noise(vec3(R.x * 60., R.y * 60., 1.)) + .12 * sin((R.x + R.y) * 90.);
    return base;
}

void main() {
    vec4 map = texture(image, U);
    vec3 v = normalize(eye - P), n = normalize(N), albedo = pow(map.rgb, vec3(2.2)), wrap = vec3(0.), q = R + grain;
    bool thin = material == HAIR || material == BROW || material == CLOTH || material == FRAME || material == LENS || material == GARMENT || material == HEADWEAR;
    if (thin && dot(n, v) < 0.) n = -n;
    float alpha = 1., rough = .45, f0 = .028, gloss = 1.;
    int seen = part;
    bool strands = material == HAIR || material == BROW;
    if (strands) {
        alpha = map.a;
        if (material == HAIR) {
            if (strand_ends(R, U, cut_below, fringe)) discard;
            if (headwear_depth(R) > -.03 || (headwear == 1 && R.y > 7.55)) discard;
        }
        if (alpha < float[](.62, .03, .28)[pass_number]) discard;
        if (pass_number == 0) alpha = 1.;
    } else if (pass_number == 1 && material != LENS) discard;
    if (material == EYE && map.a < .5) discard;                                // the cornea shell

    if (material == SKIN || material == FUR) {
        if (garment_depth(R) > .10 || headwear_depth(R) > .04 || (material == FUR && headwear == 1 && R.y > 7.5)) discard;
    }
    if (material == SKIN) {
        float lip = lips(), head = smoothstep(6.1, 6.5, R.y), front = step(.2, R.z), x = abs(R.x);
        if (lip > .5) seen = 5;
        albedo *= colour;
        albedo *= 1. + vec3(.22, .30, .30) * (fbm(q * 2.3) - .5) * .75;
        float spots = smoothstep(.62, .78, noise(q * 17.)) * smoothstep(.35, .7, noise(q * 2.1));
        albedo *= mix(vec3(1), vec3(.72, .58, .48), clamp(spots * freckles * .6, 0., 1.) * front);
        float cheek = exp(-pow(length(vec2(x - .47, R.y - 6.98)) / .26, 2.)) + .7 * exp(-pow(length(R.xy - vec2(0, 7.)) / .16, 2.));
        albedo *= mix(vec3(1), vec3(1.06, .84, .82), cheek * blush * step(.6, R.z));
        float lid = exp(-pow(length(vec2((x - .33) / .26, (R.y - 7.42) / .10)), 2.)) * step(.9, R.z);
        albedo = mix(albedo, colour * vec3(.20, .10, .13), clamp(lid * eye_shadow, 0., 1.) * .8);
        if (stubble > 0.) albedo *= mix(vec3(1), vec3(.55, .56, .60), clamp(bearded(lip) * (.55 + .65 * noise(q * 60.)) * stubble, 0., 1.) * .8);
        if (fur_place >= 1 && fur_level < 0.) albedo = mix(albedo, beard_colour, .8 * scalp());   // hair roots under fur
        for (int i = 0; i < 6; i++) if (moles[i].z > 0.) {
            float away = length(R.xy - moles[i].xy) * front + (1. - front) * 9.;
            albedo *= mix(vec3(1), vec3(.42, .31, .26), smoothstep(moles[i].z, moles[i].z * .5, away));
        }
        vec3 natural = albedo * vec3(1.08, .70, .68), painted = vec3(.42, .05, .08) * (.45 + 1.1 * dot(albedo, vec3(.33)) / .5);
        albedo = mix(albedo, mix(natural, painted, lipstick * .8), lip * .85);
        albedo *= .93 + .14 * noise(q * 45.);
        vec3 pore = q * 34.; float here = noise(pore);
        n = normalize(n - .13 * head * vec3(noise(pore + vec3(.4, 0, 0)) - here, noise(pore + vec3(0, .4, 0)) - here, noise(pore + vec3(0, 0, .4)) - here));
        rough = mix(.56, .46, oiliness) - .12 * lip; f0 = .03; wrap = vec3(.42, .20, .14);
        gloss = mix(.5, .95, oiliness) * (.75 + .5 * noise(q * 9.)) + .6 * lip * lipstick;
    } else if (material == FUR) {
        float lip = lips(), grown = fur_place == 1 ? scalp() : bearded(lip);
        vec3 strand = fur_curl > .5 ? R * 15. + .8 * vec3(noise(R * 9.), noise(R * 9. + 7.), noise(R * 9. + 3.)) : R * vec3(34., 20., 34.);
        float hair = noise(strand) * .62 + noise(strand * 2.3) * .38;
        if (hair * grown < .10 + .62 * fur_level || grown < .12) discard;
        albedo = colour * (.45 + .75 * fur_level) * (.7 + .6 * noise(strand * 1.7));
        rough = .5; f0 = .025; wrap = vec3(.35); gloss = .6;
    } else if (material == EYE) { albedo *= 1.06; rough = .07; f0 = .045; wrap = vec3(.6); gloss = 1.5; }
    else if (material == HAIR) {
        float light = dot(map.rgb, vec3(.33));
        if (fur_curl > .5) albedo = colour * (.45 + .9 * noise(R * 14.)) * (.7 + .6 * noise(R * 31.));
        else albedo = colour * clamp(.55 + .95 * light, .4, 1.35) * (.78 + .44 * noise(vec3(U * vec2(180., 6.), 1.)));
        rough = .38; f0 = .03; wrap = vec3(.35);
    } else if (material == BROW) { albedo = colour * .6 * (.6 + .8 * dot(map.rgb, vec3(.33))); alpha *= spec; gloss = 0.; wrap = vec3(.4); }
    else if (material == CLOTH) { albedo *= colour * (.94 + .12 * noise(P * 70.)); rough = .8; wrap = vec3(.15); gloss = .5; }
    else if (material == TEETH) { albedo *= vec3(.84, .74, .60) * .82; rough = .2; wrap = vec3(.4); }
    else if (material == TONGUE) { albedo *= .6; rough = .3; wrap = vec3(.4); }
    else if (material == FRAME) { albedo = colour; rough = .22; f0 = .05; }
    else if (material == METAL) { albedo = colour; rough = .18; f0 = .5; }
    else if (material == GARMENT) {
        float depth = garment_depth(R);
        if (depth < 0.) discard;
        albedo = woven(colour) * (depth < .11 ? .80 : 1.) * (depth > .11 && depth < .13 ? .6 : 1.) * (.92 + .16 * noise(R * 60.));
        rough = .85; wrap = vec3(.18); gloss = .35;
        n = normalize(n + .10 * vec3(noise(R * 3.1) - .5, noise(R * 3.1 + 9.) - .5, 0.));
    } else if (material == HEADWEAR) {
        float depth = headwear_depth(R);
        if (depth < 0.) discard;
        float rib = headwear == 2 ? (depth < .34 ? .78 + .30 * abs(sin(atan(R.x, R.z) * 44.)) : .84 + .2 * noise(R * vec3(30., 60., 30.))) : .92 + .16 * noise(R * 50.);
        albedo = colour * rib * (headwear == 2 && abs(depth - .36) < .025 ? .55 : 1.);
        if (headwear == 4) n = normalize(n + .25 * vec3(noise(R * 4.) - .5, noise(R * 4. + 5.) - .5, 0.));
        rough = .85; wrap = vec3(.2); gloss = .35;
    }
    if (material == LENS) {
        float glint = ggx(n, v, key_direction, .12) + ggx(n, v, normalize(vec3(-key_direction.x, .6, 1.)), .2) * .3;
        shade = vec4(colour * .06 + key * glint * .05, spec + .25 * min(glint, 1.));
        truth = vec4(0.); facing = vec4(0.);
        return;
    }
    float arrives = lit(material == SKIN ? softness * 1.3 : softness), nl = dot(n, key_direction);
    vec3 diffuse = max(vec3(0), (nl + wrap) / ((1. + wrap) * (1. + wrap)));
    vec3 tinted = material == SKIN ? pow(vec3(arrives), vec3(.70, 1., 1.05)) : vec3(arrives);   // light bleeds red through skin
    vec3 other = normalize(vec3(-key_direction.x, key_direction.y * .5 + .1, max(key_direction.z, .35)));
    vec3 c = albedo * (key * diffuse * tinted + fill * max(vec3(0), (dot(n, other) + wrap) / ((1. + wrap) * (1. + wrap))));
    vec3 around = mix(ambient * vec3(.55, .42, .36), ambient, n.y * .5 + .5);
    c += albedo * around * (.6 + .4 * max(n.z, 0.));
    float fresnel = f0 + (1. - f0) * pow(1. - max(dot(n, v), 0.), 5.);
    if (material == HAIR) {                                                   // Kajiya and Kay 1989, two lobes
        vec3 along = normalize(normalize(T + vec3(1e-4)) + .25 * (noise(vec3(U * vec2(90., 4.), 3.)) - .5) * n);
        float first = dot(along, normalize(v + key_direction)), second = dot(along, normalize(v + vec3(0, 1, .3)));
        c += key * arrives * (.06 + colour * .9) * pow(max(0., 1. - first * first), 24.) * max(0., nl * .6 + .4);
        c += around * (colour * .7 + .02) * pow(max(0., 1. - second * second), 18.);
    } else {
        c += key * tinted * ggx(n, v, key_direction, rough * rough) * f0 * .9 * 3.1416 * gloss + fill * ggx(n, v, other, rough * rough) * f0 * 2. * gloss;
        c += around * fresnel * .35 * gloss;
        if (material == EYE) c += ggx(n, v, normalize(vec3(-key_direction.x * .6, .5, 1.)), .012) * .02 * ambient;
    }
    float edge = pow(1. - max(dot(n, v), 0.), 3.) * max(0., -n.z * .2 + .5 + n.y * .3);
    if (material != EYE) c += rim * ambient * edge * (strands ? .35 * (colour * 2. + .06) : .45 * (albedo + .05));
    shade = vec4(c, alpha);
    float face = (material == SKIN && headwear_depth(R) < 0. && R.y > 6.05 + .55 * smoothstep(.5, 1., abs(R.x)) && R.z > .25 && R.y < 8.2) ? 1. : 0.;
    truth = vec4(float(seen), length(eye - P), face, 1.);
    facing = vec4(n, 1.);
}
